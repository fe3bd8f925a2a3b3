#pragma once

#include <memory>

#include "base/file_system.h"

namespace swarm::platform {

// The operating system's files. Stateless.
std::unique_ptr<FileSystem> make_file_system();

// Takes an exclusive lock on `path` (made if absent) for as long as the result lives; the system
// lets go of it when the process ends. FAILED_PRECONDITION when another process has it.
class FileLock {
 public:
  virtual ~FileLock() = default;
};
Result<std::unique_ptr<FileLock>> lock_file(const std::filesystem::path& path);

// Removes a directory with everything in it; OK if there is none. Never follows links.
Status remove_tree(const std::filesystem::path& directory);

}  // namespace swarm::platform
