#include "platform/port_listener.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

namespace swarm::platform {

namespace {

// A fork bomb must not keep us here.
constexpr size_t kMaxMembers = 10'000;

struct Listener {
  uint64_t inode = 0;
  uid_t user = 0;
};

// Addresses as /proc/net/tcp and tcp6 write them on a machine of this byte order: any, and
// 127.0.0.1, of either family.
bool serves_loopback(const std::string& address) {
  return address == "00000000" || address == "0100007F" ||
         address == "00000000000000000000000000000000" ||
         address == "0000000000000000FFFF00000100007F";
}

// The kernel lists listening sockets first: the many connections of a busy machine are not read.
std::optional<std::vector<Listener>> listeners_on(uint16_t port) {
  constexpr const char* kListening = "0A";
  std::vector<Listener> found;
  bool is_told = false;
  for (const char* const path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(path);
    is_told = is_told || file.is_open();
    std::string line;
    std::getline(file, line);  // the heading
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string number;
      std::string local;
      std::string remote;
      std::string state;
      std::string skipped;
      Listener listener;
      fields >> number >> local >> remote >> state;
      if (state != kListening) {
        break;
      }
      fields >> skipped >> skipped >> skipped >> listener.user >> skipped >> listener.inode;
      const size_t colon = local.find(':');
      if (fields && colon != std::string::npos && serves_loopback(local.substr(0, colon)) &&
          std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) {
        found.push_back(listener);
      }
    }
  }
  return is_told ? std::optional(std::move(found)) : std::nullopt;
}

// The names in a folder of /proc; nothing when it cannot be read, with the reason in errno.
std::optional<std::vector<std::string>> names_in(const std::string& path) {
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  ::closedir(folder);
  return names;
}

// Children are listed by the thread that made them.
std::set<int64_t> family_of(int64_t root) {
  std::set<int64_t> family{root};
  std::vector<int64_t> left{root};
  while (!left.empty() && family.size() < kMaxMembers) {
    const std::string tasks = "/proc/" + std::to_string(left.back()) + "/task/";
    left.pop_back();
    for (const std::string& thread : names_in(tasks).value_or(std::vector<std::string>())) {
      std::ifstream children(tasks + thread + "/children");
      for (int64_t child = 0; children >> child;) {
        if (family.insert(child).second) {
          left.push_back(child);
        }
      }
    }
  }
  return family;
}

enum class Holds { yes, no, unknown };

Holds holds(int64_t pid, uint64_t inode) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd/";
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  const auto names = names_in(folder);
  if (!names) {
    return errno == EACCES || errno == EPERM ? Holds::unknown : Holds::no;
  }
  return std::any_of(names->begin(), names->end(),
                     [&](const std::string& name) {
                       char target[64] = {};
                       const ssize_t size =
                           ::readlink((folder + name).c_str(), target, sizeof target - 1);
                       return size > 0 && target == wanted;
                     })
             ? Holds::yes
             : Holds::no;
}

bool is_of_user(int64_t pid, uid_t user) {
  struct stat status{};
  return ::stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0 && status.st_uid == user;
}

bool is_member(const Listener& listener, const std::set<int64_t>& family) {
  return std::any_of(family.begin(), family.end(), [&listener](int64_t pid) {
    const Holds answer = holds(pid, listener.inode);
    return answer == Holds::yes || (answer == Holds::unknown && is_of_user(pid, listener.user));
  });
}

std::string name_of_holder(const Listener& listener) {
  for (const std::string& entry : names_in("/proc").value_or(std::vector<std::string>())) {
    const int64_t pid = std::strtoll(entry.c_str(), nullptr, 10);
    if (pid > 0 && holds(pid, listener.inode) == Holds::yes) {
      std::string name;
      std::ifstream file("/proc/" + entry + "/comm");
      std::getline(file, name);
      return name + " (pid " + entry + ")";
    }
  }
  return "";
}

}  // namespace

PortListener find_port_listener(uint16_t port, const ProcessId& root) {
  const auto listeners = listeners_on(port);
  if (!listeners) {
    return {.kind = PortListener::Kind::member, .name = ""};
  }
  if (listeners->empty()) {
    return {};
  }
  const std::set<int64_t> family = family_of(root.pid);
  for (const Listener& listener : *listeners) {
    if (is_member(listener, family)) {
      return {.kind = PortListener::Kind::member, .name = ""};
    }
  }
  return {.kind = PortListener::Kind::stranger, .name = name_of_holder(listeners->front())};
}

}  // namespace swarm::platform
