#pragma once

#include <filesystem>

#include "agent/assignment_store.h"
#include "base/file_system.h"

namespace swarm::manager {

// The agent's record in one file, replaced atomically. The format is a line that names it, then
// records of one byte of kind ('A' assignment, 'R' report), four bytes of length (little-endian)
// and that many bytes in the wire format.
class AssignmentFile final : public agent::AssignmentStore {
 public:
  AssignmentFile(FileSystem& files, std::filesystem::path path);

  Result<agent::AgentRecord> load() override;
  Status save(const agent::AgentRecord& record) override;

 private:
  FileSystem& files_;
  const std::filesystem::path path_;
};

}  // namespace swarm::manager
