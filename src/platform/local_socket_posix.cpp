#include <sys/stat.h>

#include <cerrno>

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

Status restrict_socket(const std::filesystem::path& path) {
  return set_mode(path, 0660);
}

Status make_socket_private(const std::filesystem::path& path) {
  return set_mode(path, 0600);
}

}  // namespace swarm::platform
