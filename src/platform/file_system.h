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

// Whether a file may be put at `path`: nothing or a regular file is there. FAILED_PRECONDITION
// names what else is: a folder, a link, a device, a pipe or a socket, which a rename would replace.
Status check_replaceable(const std::filesystem::path& path);

// Removes a directory with everything in it; OK if there is none. Never follows links.
Status remove_tree(const std::filesystem::path& directory);

}  // namespace swarm::platform
