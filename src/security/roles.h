#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "security/identity.h"

namespace swarm::security {

// Who may call a method over the network. Every connection between nodes is mutual TLS; only a node
// that has no certificate yet may come without one.
enum class Access {
  anyone,   // no certificate needed: what it needs is in the request (a token)
  node,     // any node of this swarm
  manager,  // a manager of this swarm
  nobody,   // the local socket only
};

// The right of one RPC. The table in roles.cpp names every method of every service; a method that
// is not in it can be called by nobody.
struct MethodRule {
  std::string_view method;  // "/swarm.v1.Services/Create"
  Access remote = Access::nobody;
  bool is_local = false;  // callable on the local socket, whose file mode says who may
};

std::span<const MethodRule> method_rules();

// Null for a method that is not known.
const MethodRule* find_rule(std::string_view method);

// Whether `peer`, of which TLS has proven the certificate, may call the method on a node of
// `swarm`. UNAUTHENTICATED without a certificate where one is needed, PERMISSION_DENIED otherwise.
Status authorize_remote(std::string_view method, const PeerIdentity& peer,
                        const model::SwarmId& swarm);

// The same for the local socket.
Status authorize_local(std::string_view method);

}  // namespace swarm::security
