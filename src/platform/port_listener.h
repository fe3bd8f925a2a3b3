#pragma once

#include <cstdint>
#include <string>

#include "platform/process.h"

namespace swarm::platform {

// Who accepts TCP connections to a port of 127.0.0.1.
struct PortListener {
  enum class Kind { nobody, member, stranger };
  Kind kind = Kind::nobody;
  // Of a stranger that can be told: "nginx (pid 4711)".
  std::string name;
};

// As seen by the processes that descend from `root`, or are it: a listener is a member when one of
// them holds its socket. Where the system does not let us look into a member, a listener of the
// same user counts as one; where it lists no sockets at all, there is taken to be a member.
PortListener find_port_listener(uint16_t port, const ProcessId& root);

}  // namespace swarm::platform
