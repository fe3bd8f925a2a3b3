#include "manager/address.h"

#include "base/units.h"

namespace swarm::manager {

std::string HostPort::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool HostPort::is_wildcard() const {
  return host == "0.0.0.0" || host == "::";
}

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

namespace {

Result<std::string> only_address(const std::vector<std::string>& candidates) {
  if (candidates.size() == 1) {
    return candidates.front();
  }
  if (candidates.empty()) {
    return absl::InvalidArgumentError(
        "this machine has no address that others could reach: say which to use with "
        "--advertise-addr");
  }
  std::string list;
  for (const std::string& candidate : candidates) {
    list += (list.empty() ? "" : ", ") + candidate;
  }
  return absl::InvalidArgumentError("this machine has several addresses (" + list +
                                    "): choose one with --advertise-addr");
}

}  // namespace

Result<SwarmAddresses> choose_addresses(std::string_view listen, std::string_view advertise,
                                        const std::vector<std::string>& machine_addresses) {
  SwarmAddresses chosen;
  SWARM_ASSIGN_OR_RETURN(chosen.listen,
                         parse_host_port(listen.empty() ? "0.0.0.0" : listen, kSwarmPort));
  if (!advertise.empty()) {
    SWARM_ASSIGN_OR_RETURN(chosen.advertise, parse_host_port(advertise, chosen.listen.port));
  } else if (!chosen.listen.is_wildcard()) {
    chosen.advertise = chosen.listen;
  } else {
    SWARM_ASSIGN_OR_RETURN(chosen.advertise.host, only_address(machine_addresses));
    chosen.advertise.port = chosen.listen.port;
  }
  if (chosen.advertise.is_wildcard()) {
    return absl::InvalidArgumentError("--advertise-addr " + std::string(advertise) +
                                      " is no address that others can reach: name one of this "
                                      "machine's own");
  }
  return chosen;
}

}  // namespace swarm::manager
