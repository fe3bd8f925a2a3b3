#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "raft/core/entry.h"

namespace swarm::raft {

// What a member said last that it must never take back.
struct Promises {
  MemberId member;
  uint64_t log = 0;      // SegmentHeader::log
  HardState hard_state;  // its commit index names entries that are durable
  // Why this member must not take part any more, whatever its log holds; empty when it may.
  std::string refusal;

  bool operator==(const Promises&) const = default;
};

// A copy of a member's promises beside the folder of its log, so that a member whose log is gone,
// or replaced by an older copy or another log, can tell at its next start. Written at rare moments
// (a new term or vote, a new segment), and before the promise leaves this member.
//
// Two slots of one sector, written in turn, so that a torn write leaves the other. On the log loop.
class PromiseFile {
 public:
  PromiseFile(FileSystem& files, std::filesystem::path path);

  // Nothing when there is no file. DATA_LOSS, naming the file, when neither slot can be read.
  Result<std::optional<Promises>> read();
  // Durable on return. After `read`.
  Status write(const Promises& promises);

  const std::filesystem::path& path() const { return path_; }

 private:
  FileSystem& files_;
  const std::filesystem::path path_;
  std::unique_ptr<File> file_;  // null until it is there
  uint64_t sequence_ = 0;       // of the newest slot
};

}  // namespace swarm::raft
