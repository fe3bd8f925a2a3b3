#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <optional>
#include <string>

// Only for the .cpp files of this module.
namespace swarm::runtime {

// "10.1.2.3:80" or "[::1]:80"; names are not resolved.
inline std::optional<boost::asio::ip::tcp::endpoint> parse_endpoint(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (error || parsed.ec != std::errc{} || parsed.ptr != end) {
    return std::nullopt;
  }
  return boost::asio::ip::tcp::endpoint(address, port);
}

}  // namespace swarm::runtime
