#pragma once

#include "model/node.h"

namespace swarm::security {

// Host names in certificates. Nodes have no fixed host name, so a client asks for the role instead
// of the address it dialled (gRPC: the target name override).
inline constexpr char kManagerName[] = "swarm-manager";
inline constexpr char kWorkerName[] = "swarm-worker";
inline constexpr char kNodeName[] = "swarm-node";  // in every node's certificate

constexpr const char* role_name(model::Role role) {
  return role == model::Role::manager ? kManagerName : kWorkerName;
}

}  // namespace swarm::security
