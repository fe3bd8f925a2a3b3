#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::platform {

struct TcpAddress {
  std::string host;  // an address or a name
  std::string port;  // digits
};

// "10.0.0.5:2377", "[::1]:2377" or "name:2377" taken apart. INVALID_ARGUMENT.
Result<TcpAddress> split_tcp_address(std::string_view text);

}  // namespace swarm::platform
