#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "raft/log/record.h"

namespace swarm::raft {

// The files of a log: numbered segments and at most one spare. Files are filled with zeros before
// they are used and used again when their entries are gone, so that a write in steady state
// allocates nothing and its sync costs no journal commit. On the log loop.
//
// A file gets its segment name only when its header is durable; until then it is `.part` or
// `spare`, whose contents mean nothing.
class SegmentFiles {
 public:
  SegmentFiles(FileSystem& files, std::filesystem::path directory, uint64_t segment_bytes);

  // Makes the directory, removes what a crash left half made, finds the spare.
  Status prepare();
  // The numbers of the segments, ascending.
  Result<std::vector<uint64_t>> list();
  std::filesystem::path path_of(uint64_t number) const;

  // A durable segment with this header, of at least `bytes`. RESOURCE_EXHAUSTED on a full disk,
  // with nothing left behind.
  Result<std::unique_ptr<File>> create(const SegmentHeader& header, uint64_t bytes);
  // Makes it the spare, or removes it when there is one. Durable on return: segments must go oldest
  // first, or a crash could leave a hole.
  Status retire(uint64_t number);

  // Prepares a spare, one slice at a call. Whether there is more to do.
  Result<bool> prepare_spare_slice();

  uint64_t segment_bytes() const { return segment_bytes_; }

 private:
  Result<std::unique_ptr<File>> make_filled(const std::filesystem::path& path, uint64_t bytes);

  FileSystem& files_;
  const std::filesystem::path directory_;
  const uint64_t segment_bytes_;
  bool has_spare_ = false;
  std::unique_ptr<File> next_spare_;  // being filled
  uint64_t next_spare_filled_ = 0;
};

}  // namespace swarm::raft
