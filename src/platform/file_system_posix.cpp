#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "platform/file_system.h"
#include "platform/posix_file.h"

namespace swarm::platform {

namespace {

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::write:
    case OpenMode::direct:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::create_or_open:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override {
    const int descriptor = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0600);
    if (descriptor < 0) {
      return file_error(errno, "open", path);
    }
    if (mode == OpenMode::direct) {
      return make_direct(descriptor, path);
    }
    return std::unique_ptr<File>(std::make_unique<PosixFile>(descriptor, path));
  }

  Status rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return file_error(errno, "rename", from);
    }
    return absl::OkStatus();
  }

  Status remove(const std::filesystem::path& path) override {
    if (::unlink(path.c_str()) != 0) {
      return file_error(errno, "remove", path);
    }
    return absl::OkStatus();
  }

  Result<std::vector<std::string>> list(const std::filesystem::path& directory) override {
    DIR* const stream = ::opendir(directory.c_str());
    if (stream == nullptr) {
      return file_error(errno, "list", directory);
    }
    std::vector<std::string> names;
    while (const dirent* const entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        names.emplace_back(name);
      }
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status make_directories(const std::filesystem::path& directory) override {
    if (directory.empty() || exists(directory)) {
      return absl::OkStatus();
    }
    SWARM_RETURN_IF_ERROR(make_directories(directory.parent_path()));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return file_error(errno, "make directory", directory);
    }
    return absl::OkStatus();
  }

  Status sync_directory(const std::filesystem::path& directory) override {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
      return file_error(errno, "open", directory);
    }
    const int error = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    return error == 0 ? absl::OkStatus() : file_error(error, "sync", directory);
  }

  bool exists(const std::filesystem::path& path) override {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0;
  }
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int descriptor) : descriptor_(descriptor) {}
  ~PosixFileLock() override { ::close(descriptor_); }

 private:
  int descriptor_;
};

// Depth is bounded by the path length the system allows for a chain of openat calls by name.
int remove_entries(int directory);

int remove_entry(int directory, const char* name) {
  if (::unlinkat(directory, name, 0) == 0 || errno == ENOENT) {
    return 0;
  }
  if (errno != EISDIR && errno != EPERM) {
    return errno;
  }
  const int child = ::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (child < 0) {
    return errno;
  }
  const int error = remove_entries(child);
  if (error != 0) {
    return error;
  }
  return ::unlinkat(directory, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

// Owns and closes `directory`.
int remove_entries(int directory) {
  DIR* const stream = ::fdopendir(directory);
  if (stream == nullptr) {
    const int error = errno;
    ::close(directory);
    return error;
  }
  int error = 0;
  while (const dirent* const entry = ::readdir(stream)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      error = remove_entry(::dirfd(stream), entry->d_name);
      if (error != 0) {
        break;
      }
    }
  }
  ::closedir(stream);
  return error;
}

}  // namespace

std::unique_ptr<FileSystem> make_file_system() {
  return std::make_unique<PosixFileSystem>();
}

Result<std::unique_ptr<FileLock>> lock_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return file_error(errno, "open", path);
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor);
    if (error == EWOULDBLOCK) {
      return absl::FailedPreconditionError(path.string() + " is locked by another process");
    }
    return file_error(error, "lock", path);
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(descriptor));
}

Status check_replaceable(const std::filesystem::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : file_error(errno, "look at", path);
  }
  if (S_ISREG(info.st_mode)) {
    return absl::OkStatus();
  }
  const char* const kind = S_ISDIR(info.st_mode)    ? "a folder"
                           : S_ISLNK(info.st_mode)  ? "a symbolic link"
                           : S_ISFIFO(info.st_mode) ? "a pipe"
                           : S_ISSOCK(info.st_mode) ? "a socket"
                                                    : "a device";
  return absl::FailedPreconditionError(path.string() + " is " + kind +
                                       ", not a regular file: choose another path");
}

Status remove_tree(const std::filesystem::path& directory) {
  const int error = remove_entry(AT_FDCWD, directory.c_str());
  return error == 0 ? absl::OkStatus() : file_error(error, "remove", directory);
}

}  // namespace swarm::platform
