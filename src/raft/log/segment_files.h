#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "raft/log/record.h"

namespace swarm::raft {

// The files of a log: numbered segments and a few spares. Files are filled with zeros before they
// are used and used again when their entries are gone, so that a write in steady state allocates
// nothing and its sync costs no journal commit. On the log loop.
//
// A file gets its segment name only when its header is durable; until then it is `.part` or
// `spare-`, whose contents mean nothing.
class SegmentFiles {
 public:
  SegmentFiles(FileSystem& files, std::filesystem::path directory, uint64_t segment_bytes);

  // A snapshot frees as many segments as it covers at once; what is kept of them carries the log to
  // the next one.
  static constexpr size_t kMaxSpares = 4;

  // Makes the directory, removes what a crash left half made, finds the spares.
  Status prepare();
  // The numbers of the segments, ascending.
  Result<std::vector<uint64_t>> list() const;
  std::filesystem::path path_of(uint64_t number) const;

  // A durable segment with this header, whose file_bytes is at least segment_bytes().
  // RESOURCE_EXHAUSTED on a full disk, with nothing left behind.
  Result<std::unique_ptr<File>> create(const SegmentHeader& header);
  // Makes it a spare, or removes it when there are enough. Durable on return: segments must go
  // oldest first, or a crash could leave a hole.
  Status retire(uint64_t number);

  // Whether prepare_spare_slice has anything to do.
  bool lacks_spare() const { return spares_.empty() || next_spare_ != nullptr; }
  // Prepares a spare unless there is one, a slice at a call. Whether there is more to do.
  Result<bool> prepare_spare_slice();

  uint64_t segment_bytes() const { return segment_bytes_; }

 private:
  Status make_filled(const std::filesystem::path& path, uint64_t bytes);
  Result<bool> has_full_size(const std::filesystem::path& path);

  FileSystem& files_;
  const std::filesystem::path directory_;
  const uint64_t segment_bytes_;
  std::vector<std::filesystem::path> spares_;
  std::unique_ptr<File> next_spare_;  // being filled
  uint64_t next_spare_filled_ = 0;
};

}  // namespace swarm::raft
