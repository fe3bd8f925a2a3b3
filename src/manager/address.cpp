#include "manager/address.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/units.h"

namespace swarm::manager {

std::string HostPort::text() const {
  return (is_ipv6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool HostPort::is_wildcard() const {
  return host == "0.0.0.0" || host == "::";
}

namespace {

// An IPv6 address without brackets whose last group reads like a port.
bool may_end_in_a_port(std::string_view text) {
  const size_t last = text.rfind(':');
  if (last == std::string_view::npos || text.find(':') == last || text.starts_with('[')) {
    return false;
  }
  const std::string_view group = text.substr(last + 1);
  return group.size() >= 4 && group.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) {
      host = {};
    } else {
      host = text.substr(1, close - 1);
      port = text.substr(close + 1);
    }
  } else if (may_end_in_a_port(text)) {
    const size_t last = text.rfind(':');
    return absl::InvalidArgumentError("invalid address \"" + std::string(text) + "\": write [" +
                                      std::string(text.substr(0, last)) + "]" +
                                      std::string(text.substr(last)) + ", or [" +
                                      std::string(text) + "] for an address without a port");
  } else if (text.find(':') == text.rfind(':') && text.find(':') != std::string_view::npos) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':'));
  }
  if (host.empty() || host.size() > 255 || host.find_first_of(" /@,") != std::string_view::npos ||
      (!port.empty() && !port.starts_with(':'))) {
    return absl::InvalidArgumentError(
        "invalid address \"" + std::string(text) +
        "\": write HOST or HOST:PORT, like 10.0.0.5:" + std::to_string(default_port));
  }
  if (port.empty()) {
    return HostPort{std::string(host), default_port};
  }
  SWARM_ASSIGN_OR_RETURN(const int64_t number,
                         parse_integer(port.substr(1), 1, 65535, "port in address"));
  return HostPort{std::string(host), static_cast<uint16_t>(number)};
}

MachineNetwork MachineNetwork::of_this_machine() {
  return {platform::network_interfaces(), platform::has_ipv6(), &platform::resolve_host};
}

namespace {

using Addresses = std::vector<std::string>;

std::string join(const Addresses& texts) {
  std::string list;
  for (const std::string& text : texts) {
    list += (list.empty() ? "" : ", ") + text;
  }
  return list;
}

bool is_ipv6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

Addresses all_addresses(const MachineNetwork& machine, bool only_reachable) {
  Addresses all;
  for (const platform::NetworkInterface& interface : machine.interfaces) {
    if (interface.is_reachable || !only_reachable) {
      all.insert(all.end(), interface.addresses.begin(), interface.addresses.end());
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// For a person; on a machine that has nothing else, those of its loopback.
std::string own_addresses(const MachineNetwork& machine) {
  const Addresses reachable = all_addresses(machine, true);
  return join(reachable.empty() ? all_addresses(machine, false) : reachable);
}

// The whole of 127.0.0.0/8 belongs to every machine.
bool is_own(const std::string& address, const MachineNetwork& machine) {
  const Addresses own = all_addresses(machine, false);
  return address.starts_with("127.") || std::find(own.begin(), own.end(), address) != own.end();
}

// The one to take, IPv4 before IPv6 as the older nodes may have nothing else.
Result<std::string> only_address(const Addresses& candidates, const std::string& whose) {
  Addresses v4 = candidates;
  std::erase_if(v4, is_ipv6);
  const Addresses& preferred = v4.empty() ? candidates : v4;
  if (preferred.size() == 1) {
    return preferred.front();
  }
  if (preferred.empty()) {
    return absl::InvalidArgumentError(whose +
                                      " has no address other nodes can reach: say which to use "
                                      "with --advertise-addr");
  }
  return absl::InvalidArgumentError(whose + " has several addresses (" + join(candidates) +
                                    "): choose one with --advertise-addr");
}

// An address for what was given to `flag`: itself, that of an interface, or what a name stands for.
Result<std::string> look_up(const std::string& host, const std::string& flag,
                            const MachineNetwork& machine) {
  if (host.find('%') != std::string::npos) {
    return absl::InvalidArgumentError(flag + " " + host +
                                      ": an address with a zone means something on one machine "
                                      "only; use one that is not link-local, without \"%\"");
  }
  if (std::optional<std::string> address = platform::canonical_address(host)) {
    return *std::move(address);
  }
  std::string names;
  for (const platform::NetworkInterface& interface : machine.interfaces) {
    if (interface.name == host) {
      return only_address(interface.addresses, "interface " + host);
    }
    names += (names.empty() ? "" : ", ") + interface.name;
  }
  const Result<Addresses> found = machine.resolve(host);
  if (!found.ok()) {
    return absl::InvalidArgumentError(
        flag + " " + host + ": neither an address, an interface of this machine (" + names +
        "), nor a name that can be resolved: " + std::string(found.status().message()));
  }
  const auto own = std::find_if(found->begin(), found->end(), [&](const std::string& address) {
    return is_own(address, machine);
  });
  return own == found->end() ? found->front() : *own;
}

Result<HostPort> listen_address(const std::string& text, const MachineNetwork& machine) {
  if (text.empty()) {
    return HostPort{machine.has_ipv6 ? "::" : "0.0.0.0", kSwarmPort};
  }
  SWARM_ASSIGN_OR_RETURN(HostPort listen, parse_host_port(text, kSwarmPort));
  SWARM_ASSIGN_OR_RETURN(listen.host, look_up(listen.host, "--listen-addr", machine));
  return listen;
}

Status check_advertised(const HostPort& advertise, const AddressOptions& options,
                        const HostPort& listen, const MachineNetwork& machine) {
  const std::string flag = "--advertise-addr " + options.advertise;
  if (advertise.is_wildcard()) {
    return absl::InvalidArgumentError(flag +
                                      " is not an address other nodes can reach: name one of this "
                                      "machine's own (" +
                                      own_addresses(machine) + ")");
  }
  if (!options.force && !is_own(advertise.host, machine)) {
    return absl::InvalidArgumentError(
        flag + ": this machine does not have the address " + advertise.host + " (it has " +
        own_addresses(machine) + "). If something else passes it on to this machine, add --force");
  }
  if (listen.host == "0.0.0.0" && advertise.is_ipv6()) {
    return absl::InvalidArgumentError(flag +
                                      " is an IPv6 address, and --listen-addr 0.0.0.0 listens on "
                                      "IPv4 only: listen on [::], or leave --listen-addr out");
  }
  return absl::OkStatus();
}

// Others come to the port that is advertised: something has to listen there.
Status check_ports(const SwarmAddresses& chosen, const AddressOptions& options) {
  for (const auto& [flag, port] : {std::pair("--advertise-addr", chosen.advertise.port),
                                   std::pair("--listen-addr", chosen.listen.port)}) {
    if (port == options.mesh_port) {
      return absl::InvalidArgumentError(std::string(flag) + ": port " + std::to_string(port) +
                                        " is the mesh port of this node (swarmd --mesh-port): "
                                        "choose another one");
    }
  }
  if (chosen.listen.port != chosen.advertise.port && !options.force) {
    const std::string listen = std::to_string(chosen.listen.port);
    const std::string advertise = std::to_string(chosen.advertise.port);
    return absl::InvalidArgumentError(
        "--advertise-addr " + options.advertise + " and --listen-addr " + options.listen +
        ": other nodes would come to port " + advertise + ", and this one would listen on port " +
        listen + ". Give both the same port; if something else passes " + advertise + " on to " +
        listen + ", add --force");
  }
  return absl::OkStatus();
}

}  // namespace

Result<SwarmAddresses> choose_addresses(const AddressOptions& options,
                                        const MachineNetwork& machine) {
  SwarmAddresses chosen;
  SWARM_ASSIGN_OR_RETURN(chosen.listen, listen_address(options.listen, machine));
  if (!options.advertise.empty()) {
    SWARM_ASSIGN_OR_RETURN(chosen.advertise,
                           parse_host_port(options.advertise, chosen.listen.port));
    SWARM_ASSIGN_OR_RETURN(chosen.advertise.host,
                           look_up(chosen.advertise.host, "--advertise-addr", machine));
    if (options.listen.empty()) {
      chosen.listen.port = chosen.advertise.port;
    }
    SWARM_RETURN_IF_ERROR(check_advertised(chosen.advertise, options, chosen.listen, machine));
  } else if (!chosen.listen.is_wildcard()) {
    chosen.advertise = chosen.listen;
  } else {
    SWARM_ASSIGN_OR_RETURN(chosen.advertise.host,
                           only_address(all_addresses(machine, true), "this machine"));
    chosen.advertise.port = chosen.listen.port;
  }
  SWARM_RETURN_IF_ERROR(check_ports(chosen, options));
  return chosen;
}

}  // namespace swarm::manager
