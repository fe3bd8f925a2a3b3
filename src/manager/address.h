#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "platform/host.h"

namespace swarm::manager {

inline constexpr uint16_t kSwarmPort = 2377;
inline constexpr uint16_t kMeshPort = 7946;

// "host:port", "[v6]:port"; a lone host gets `default_port`. The host is an address, an interface
// or a name, never empty. An IPv6 address that may end in a port needs brackets.
struct HostPort {
  std::string host;
  uint16_t port = 0;

  std::string text() const;
  bool is_ipv6() const { return host.find(':') != std::string::npos; }
  // 0.0.0.0 and [::] stand for every address of the machine: fit to listen on, not to advertise.
  bool is_wildcard() const;
};
Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port);

// What an address is chosen by.
struct MachineNetwork {
  std::vector<platform::NetworkInterface> interfaces;
  bool has_ipv6 = false;
  std::function<Result<std::vector<std::string>>(const std::string& name)> resolve;

  static MachineNetwork of_this_machine();
};

// What the user said; empty where nothing.
struct AddressOptions {
  std::string listen{};
  std::string advertise{};
  bool force = false;  // advertise what this machine does not have or does not listen on
  uint16_t mesh_port = kMeshPort;  // of this node; not free for anything else
};

// What to listen on and what to tell others, both as addresses: interfaces and names are looked up.
// By default every address of the machine is listened on, of both families, at the port that is
// advertised. INVALID_ARGUMENT, with the right form or the candidates, when others could not reach
// this node there.
struct SwarmAddresses {
  HostPort listen;
  HostPort advertise;
};
Result<SwarmAddresses> choose_addresses(const AddressOptions& options,
                                        const MachineNetwork& machine);

}  // namespace swarm::manager
