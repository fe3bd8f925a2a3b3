#include "mesh/proxy/endpoint_text.h"

#include <boost/asio/ip/address.hpp>

#include "base/units.h"

namespace swarm::mesh {

Result<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  const auto invalid = [text] {
    return absl::InvalidArgumentError("'" + std::string(text) +
                                      "' is not an address with a port, like 10.0.0.5:7946");
  };
  if (colon == std::string_view::npos) return invalid();
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  const auto port = parse_integer(text.substr(colon + 1), 0, 65535, "port");
  if (error || !port.ok()) return invalid();
  return boost::asio::ip::tcp::endpoint(address, static_cast<uint16_t>(*port));
}

}  // namespace swarm::mesh
