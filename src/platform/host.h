#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::platform {

std::string host_name();
std::string architecture();      // "x86_64"
std::string operating_system();  // "linux"

// Addresses of this machine that others may reach: interfaces that are up, without loopback,
// link-local and container bridges. Sorted.
std::vector<std::string> reachable_addresses();

// The file this program was started from, to start it again as something else.
std::filesystem::path program_path();

// Writing to a connection whose other end is gone is an error of that write, not the end of this
// program. Programs that are spawned do not inherit it.
void ignore_broken_connections();

// Tells the service manager of the system, if there is one that listens: "READY=1", "STOPPING=1",
// "STATUS=...". After sd_notify(3), without its library.
void notify_service_manager(std::string_view state);

}  // namespace swarm::platform
