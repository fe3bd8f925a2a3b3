#include "platform/port_claim.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "platform/posix_support.h"

namespace swarm::platform {

namespace {

class SocketClaim final : public PortClaim {
 public:
  explicit SocketClaim(Descriptor socket) : socket_(std::move(socket)) {}

 private:
  Descriptor socket_;
};

}  // namespace

// The register is the kernel's: abstract names of unix sockets belong to a network namespace, as
// ports do, and vanish with their holder.
std::unique_ptr<PortClaim> claim_port(uint16_t port) {
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::string name = "swarmd/port/" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);  // after a zero: not a file
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!socket.is_open() ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return nullptr;
  }
  return std::make_unique<SocketClaim>(std::move(socket));
}

}  // namespace swarm::platform
