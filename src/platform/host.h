#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace swarm::platform {

std::string host_name();
std::string architecture();      // "x86_64"
std::string operating_system();  // "linux"

// An interface that is up, with its addresses that are not link-local, as canonical_address writes
// them.
struct NetworkInterface {
  std::string name;
  std::vector<std::string> addresses;
  // Neither loopback nor a bridge of a container engine, which every machine has alike.
  bool is_reachable = false;
};
std::vector<NetworkInterface> network_interfaces();

// Whether programs here can listen on IPv6 addresses.
bool has_ipv6();

// The usual text of an IPv4 or IPv6 address; nothing when it is not one, or has a zone.
std::optional<std::string> canonical_address(const std::string& text);

// The addresses of a host name. NOT_FOUND. May block for seconds.
Result<std::vector<std::string>> resolve_host(const std::string& name);

// The file this program was started from, to start it again as something else.
std::filesystem::path program_path();

// A variable of the environment; empty when it is not set.
std::string environment(const std::string& name);

// Writing to a connection whose other end is gone is an error of that write, not the end of this
// program. Programs that are spawned do not inherit it.
void ignore_broken_connections();

// Tells the service manager of the system, if there is one that listens: "READY=1", "STOPPING=1",
// "STATUS=...". After sd_notify(3), without its library.
void notify_service_manager(std::string_view state);

// How often the service manager wants to hear "WATCHDOG=1", by sd_watchdog_enabled(3); nothing when
// it does not ask.
std::optional<Duration> watchdog_interval();

// A terminal that goes away is not the end of this program.
void ignore_hangup();

}  // namespace swarm::platform
