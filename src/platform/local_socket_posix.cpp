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
    return system_error(errno, "cannot restrict the socket " + path.string());
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

Status restrict_socket(const std::filesystem::path& path) {
  return set_mode(path, 0660);
}

Status make_socket_private(const std::filesystem::path& path) {
  return set_mode(path, 0600);
}

}  // namespace swarm::platform
