#include "platform/tcp_address.h"

namespace swarm::platform {

Result<TcpAddress> split_tcp_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  std::string_view host;
  std::string_view port;
  if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const bool is_number = !port.empty() && port.size() <= 5 &&
                         port.find_first_not_of("0123456789") == std::string_view::npos;
  if (host.empty() || !is_number) {
    return absl::InvalidArgumentError("'" + std::string(text) +
                                      "' is not an address: write HOST:PORT, as 10.0.0.5:2377");
  }
  return TcpAddress{.host = std::string(host), .port = std::string(port)};
}

}  // namespace swarm::platform
