#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace swarm::model {

// An IPv4 or IPv6 address, or a range of them in CIDR notation. Pure text and numbers, so that a
// constraint on node.ip can be checked and evaluated without an operating system.
struct IpNetwork {
  std::array<uint8_t, 16> address{};  // an IPv4 address as ::ffff:a.b.c.d
  uint8_t prefix = 128;               // leading bits that must agree, of the 128

  bool contains(const IpNetwork& other) const;

  bool operator==(const IpNetwork&) const = default;
};

// "10.0.0.5", "10.0.0.0/8", "fd00::1", "[fd00::1]", "fd00::/8"; zones ("%eth0") are not addresses
// of a network. Nothing for any other text.
std::optional<IpNetwork> parse_ip_network(std::string_view text);

}  // namespace swarm::model
