#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::mesh {

// "127.0.0.1:80" or "[::1]:80". Names are not resolved: what the mesh is told are addresses.
Result<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text);

}  // namespace swarm::mesh
