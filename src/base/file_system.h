#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace swarm {

// A file open for reading and writing at given offsets. One thread at a time.
// Errors carry the path: UNAVAILABLE for I/O errors, RESOURCE_EXHAUSTED for a full disk,
// FAILED_PRECONDITION for a folder where a file should be, or the other way round.
class File {
 public:
  virtual ~File() = default;

  // Reads up to buffer.size() bytes; fewer only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, std::span<char> buffer) = 0;
  // Writes all of `data`.
  virtual Status write_at(uint64_t offset, std::string_view data) = 0;
  // Returns when all data written so far would survive a power loss (fdatasync). After an error the
  // file's contents are unknown: the caller must end the process, never call again.
  virtual Status sync() = 0;
  virtual Result<uint64_t> size() const = 0;
  virtual Status truncate(uint64_t size) = 0;
};

enum class OpenMode {
  read,   // must exist
  write,  // must exist
  // As write, for a file of fixed size that is written from front to back and synced often: past
  // the cache of the system where that can be. What a write leaves of its last 4 KiB may become
  // zeros.
  direct,
  create,  // must not exist; private to the owner
  create_or_open,
};

// The seam between everything durable and the operating system. Real in platform/, simulated (lost
// and torn writes, full disk, errors) in tests/support.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) = 0;
  // Replaces `to` if it exists; durable only after sync_directory.
  virtual Status rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  // NOT_FOUND if there is none.
  virtual Status remove(const std::filesystem::path& path) = 0;
  // Names (not paths) in the directory, sorted.
  virtual Result<std::vector<std::string>> list(const std::filesystem::path& directory) = 0;
  // With its parents; private to the owner.
  virtual Status make_directories(const std::filesystem::path& directory) = 0;
  virtual Status sync_directory(const std::filesystem::path& directory) = 0;
  virtual bool exists(const std::filesystem::path& path) = 0;
};

// The whole file; RESOURCE_EXHAUSTED when it is larger than `max_bytes`.
Result<std::string> read_file(FileSystem& files, const std::filesystem::path& path,
                              size_t max_bytes);

// After return either the old or the new contents survive any crash: writes beside it, syncs,
// renames, syncs the directory. The file is private to its owner.
Status replace_file(FileSystem& files, const std::filesystem::path& path,
                    std::string_view contents);

}  // namespace swarm
