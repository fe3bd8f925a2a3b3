#pragma once

#include <string>

#include "model/ids.h"
#include "model/node.h"

namespace swarm::security {

// Who is at the other end of a connection, as its certificate says: node id (CN), role (OU), swarm
// (O). Everything is empty for a peer without a certificate.
struct PeerIdentity {
  model::NodeId node;
  model::Role role = model::Role::worker;
  model::SwarmId swarm;

  bool is_known() const { return !node.is_empty(); }
};

// What one node holds to prove its identity. The key never leaves the node.
struct NodeCredentials {
  std::string ca_certificate;  // PEM: the trust root
  std::string certificate;     // PEM: leaf, then the root, so that a joining node sees the root
  std::string key;             // PEM
};

}  // namespace swarm::security
