#include <sys/stat.h>

#include <cerrno>

#include "platform/local_socket.h"
#include "platform/posix_support.h"

namespace swarm::platform {

Status restrict_socket(const std::filesystem::path& path) {
  if (::chmod(path.c_str(), 0660) != 0) {
    return system_error(errno, "cannot restrict the socket " + path.string());
  }
  return absl::OkStatus();
}

}  // namespace swarm::platform
