#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace swarm::manager {

inline constexpr uint16_t kSwarmPort = 2377;
inline constexpr uint16_t kMeshPort = 7946;

// "host:port", "[v6]:port"; a lone host gets `default_port`. The host is an address or a name,
// never empty.
struct HostPort {
  std::string host;
  uint16_t port = 0;

  std::string text() const;
  // 0.0.0.0 and [::] stand for every address of the machine: fit to listen on, not to advertise.
  bool is_wildcard() const;
};
Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port);

// What to listen on and what to tell others, from what the user said (either may be empty) and the
// addresses of this machine. INVALID_ARGUMENT, listing the candidates, when there is a choice that
// only the user can make.
struct SwarmAddresses {
  HostPort listen;
  HostPort advertise;
};
Result<SwarmAddresses> choose_addresses(std::string_view listen, std::string_view advertise,
                                        const std::vector<std::string>& machine_addresses);

}  // namespace swarm::manager
