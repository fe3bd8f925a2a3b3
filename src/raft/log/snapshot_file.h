#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "raft/core/configuration.h"
#include "raft/log/payload_cipher.h"

// Snapshots on disk: what a snapshot is of, then its chunks, each sealed and checksummed, chained,
// and an end that counts them. A file gets its name only when it is whole and durable, so a file
// that has one and does not check is damaged. On the log loop.
namespace swarm::raft {

class SnapshotWriter {
 public:
  // Replaces what an earlier attempt left. RESOURCE_EXHAUSTED on a full disk, here and below: the
  // snapshot does not come about and nothing else is harmed.
  static Result<std::unique_ptr<SnapshotWriter>> create(FileSystem& files,
                                                        const std::filesystem::path& directory,
                                                        const SnapshotMeta& meta,
                                                        PayloadCipher& cipher);
  // Removes the file unless it was finished.
  ~SnapshotWriter();

  Status append(std::string_view chunk);
  // Durable and under its name on return.
  Status finish();

 private:
  SnapshotWriter(FileSystem& files, PayloadCipher& cipher) : files_(files), cipher_(cipher) {}
  Status write(std::string_view bytes);
  Status sync();

  FileSystem& files_;
  PayloadCipher& cipher_;
  std::filesystem::path path_;  // the name it will have
  std::filesystem::path beside_;
  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
  uint64_t synced_ = 0;  // up to this offset
  uint32_t crc_ = 0;
  uint64_t chunks_ = 0;
  bool is_finished_ = false;
};

class SnapshotReader {
 public:
  // DATA_LOSS, naming the file and the offset, when it is damaged; here and below.
  static Result<std::unique_ptr<SnapshotReader>> open(FileSystem& files,
                                                      const std::filesystem::path& path,
                                                      PayloadCipher& cipher);
  const SnapshotMeta& meta() const { return meta_; }
  uint64_t file_bytes() const { return size_; }
  // The next chunk; nothing after the last one, when the end was seen too.
  Result<std::optional<std::string>> next();

 private:
  SnapshotReader(std::filesystem::path path, PayloadCipher& cipher)
      : path_(std::move(path)), cipher_(cipher) {}
  Result<std::string> read(size_t bytes);
  Status damage(std::string_view what) const;

  const std::filesystem::path path_;
  PayloadCipher& cipher_;
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
  uint64_t offset_ = 0;
  uint32_t crc_ = 0;
  uint64_t chunks_ = 0;
  SnapshotMeta meta_;
};

// The whole snapshots in a directory, newest first.
Result<std::vector<std::filesystem::path>> list_snapshots(FileSystem& files,
                                                          const std::filesystem::path& directory);
std::filesystem::path snapshot_path(const std::filesystem::path& directory, Index index, Term term);
// All chunks, checked.
Result<std::vector<std::string>> read_snapshot(SnapshotReader& reader);
// Removes the snapshots before `kept`: a newer one may have come from a leader meanwhile.
Status remove_older_snapshots(FileSystem& files, const std::filesystem::path& directory,
                              const std::filesystem::path& kept);

}  // namespace swarm::raft
