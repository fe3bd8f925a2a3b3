#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "platform/local_socket.h"
#include "platform/posix_support.h"

namespace swarm::platform {

namespace {

Status set_mode(const std::filesystem::path& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) {
    return system_error(errno, "cannot set the mode of " + path.string());
  }
  return absl::OkStatus();
}

}  // namespace

int64_t peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  const int failed = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  return failed == 0 ? credentials.pid : 0;
}

bool is_of_other_build(int64_t pid) {
  struct stat theirs{};
  struct stat ours{};
  const std::string program = "/proc/" + std::to_string(pid) + "/exe";
  // Also of a file that was replaced: the link leads to the one that runs.
  return ::stat(program.c_str(), &theirs) == 0 && ::stat("/proc/self/exe", &ours) == 0 &&
         (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino);
}

Status make_socket_folder(const std::filesystem::path& folder) {
  struct stat info{};
  if (folder.empty() || ::stat(folder.c_str(), &info) == 0) {
    return absl::OkStatus();
  }
  SWARM_RETURN_IF_ERROR(make_socket_folder(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0755) == 0) {
    return set_mode(folder, 0755);  // whatever the mask says
  }
  if (errno == EEXIST) {
    return absl::OkStatus();
  }
  const Status failed = system_error(errno, "cannot make the folder " + folder.string());
  return Status(failed.code(), std::string(failed.message()) +
                                   ": run swarmd as root, or choose another socket with --socket");
}

Status restrict_socket(const std::filesystem::path& path) {
  return set_mode(path, 0660);
}

Status make_socket_private(const std::filesystem::path& path) {
  return set_mode(path, 0600);
}

}  // namespace swarm::platform
