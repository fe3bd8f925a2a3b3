#include "platform/host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

namespace swarm::platform {

namespace {

utsname system_name() {
  utsname name{};
  ::uname(&name);
  return name;
}

// Bridges of container engines: every machine has the same addresses on them.
bool is_container_bridge(std::string_view interface) {
  return interface.starts_with("docker") || interface.starts_with("br-") ||
         interface.starts_with("veth") || interface.starts_with("virbr") ||
         interface.starts_with("podman") || interface.starts_with("cni");
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (!IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) {
      ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
  }
  return text.data();
}

}  // namespace

std::string host_name() {
  return system_name().nodename;
}
std::string architecture() {
  return system_name().machine;
}

std::string operating_system() {
  std::string name = system_name().sysname;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

std::vector<NetworkInterface> network_interfaces() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    return {};
  }
  std::map<std::string, NetworkInterface> found;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) {
      continue;
    }
    NetworkInterface& interface = found[entry->ifa_name];
    interface.name = entry->ifa_name;
    interface.is_reachable =
        (entry->ifa_flags & IFF_LOOPBACK) == 0 && !is_container_bridge(entry->ifa_name);
    if (std::string text = address_text(entry->ifa_addr); !text.empty()) {
      interface.addresses.push_back(std::move(text));
    }
  }
  ::freeifaddrs(first);
  std::vector<NetworkInterface> interfaces;
  for (auto& [name, interface] : found) {
    std::sort(interface.addresses.begin(), interface.addresses.end());
    interfaces.push_back(std::move(interface));
  }
  return interfaces;
}

bool has_ipv6() {
  const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    return false;
  }
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  const bool can_bind = ::bind(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
  ::close(socket);
  return can_bind;
}

std::optional<std::string> canonical_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), bytes.data()) == 1) {
      ::inet_ntop(family, bytes.data(), canonical.data(), canonical.size());
      return canonical.data();
    }
  }
  return std::nullopt;
}

Result<std::vector<std::string>> resolve_host(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &first); error != 0) {
    return absl::NotFoundError(::gai_strerror(error));
  }
  std::vector<std::string> addresses;
  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    if (std::string text = address_text(entry->ai_addr); !text.empty()) {
      addresses.push_back(std::move(text));
    }
  }
  ::freeaddrinfo(first);
  if (addresses.empty()) {
    return absl::NotFoundError("it has no address");
  }
  return addresses;
}

std::filesystem::path program_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

std::string environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

void ignore_broken_connections() {
  std::signal(SIGPIPE, SIG_IGN);
}

void ignore_hangup() {
  std::signal(SIGHUP, SIG_IGN);
}

std::optional<Duration> watchdog_interval() {
  const char* const interval = std::getenv("WATCHDOG_USEC");
  const char* const process = std::getenv("WATCHDOG_PID");
  if (interval == nullptr || (process != nullptr && std::to_string(::getpid()) != process)) {
    return std::nullopt;
  }
  const long long microseconds = std::atoll(interval);
  return microseconds > 0 ? std::optional<Duration>(std::chrono::microseconds(microseconds))
                          : std::nullopt;
}

void notify_service_manager(std::string_view state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || *path == '\0' || std::strlen(path) >= sizeof address.sun_path) {
    return;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (address.sun_path[0] == '@') {
    address.sun_path[0] = '\0';
  }
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    return;
  }
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  // Best effort, as the protocol has it: whoever started us decides what to do without the message.
  static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), length));
  ::close(socket);
}

}  // namespace swarm::platform
