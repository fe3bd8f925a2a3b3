#include "security/roles.h"

#include <algorithm>
#include <array>
#include <string>

namespace swarm::security {

namespace {

// The control API is for the operator (local socket) and for managers, which forward to the leader.
constexpr std::array kRules = {
    MethodRule{"/swarm.v1.Dispatcher/Session", Access::node, false},
    MethodRule{"/swarm.v1.LocalNode/Backup", Access::nobody, true},
    MethodRule{"/swarm.v1.LocalNode/Info", Access::nobody, true},
    MethodRule{"/swarm.v1.LocalNode/Init", Access::nobody, true},
    MethodRule{"/swarm.v1.LocalNode/Join", Access::nobody, true},
    MethodRule{"/swarm.v1.LocalNode/Leave", Access::nobody, true},
    MethodRule{"/swarm.v1.LocalNode/Restore", Access::nobody, true},
    MethodRule{"/swarm.v1.NodeCa/Issue", Access::anyone, false},
    MethodRule{"/swarm.v1.NodeCa/Renew", Access::node, false},
    MethodRule{"/swarm.v1.NodeCa/RenewExpired", Access::anyone, false},
    MethodRule{"/swarm.v1.Nodes/Get", Access::manager, true},
    MethodRule{"/swarm.v1.Nodes/List", Access::manager, true},
    MethodRule{"/swarm.v1.Nodes/Remove", Access::manager, true},
    MethodRule{"/swarm.v1.Nodes/Update", Access::manager, true},
    MethodRule{"/swarm.v1.RaftPeer/Join", Access::manager, false},
    MethodRule{"/swarm.v1.RaftPeer/Leave", Access::manager, false},
    MethodRule{"/swarm.v1.Services/Create", Access::manager, true},
    MethodRule{"/swarm.v1.Services/Get", Access::manager, true},
    MethodRule{"/swarm.v1.Services/History", Access::manager, true},
    MethodRule{"/swarm.v1.Services/List", Access::manager, true},
    MethodRule{"/swarm.v1.Services/Remove", Access::manager, true},
    MethodRule{"/swarm.v1.Services/Rollback", Access::manager, true},
    MethodRule{"/swarm.v1.Services/Scale", Access::manager, true},
    MethodRule{"/swarm.v1.Services/Update", Access::manager, true},
    MethodRule{"/swarm.v1.Swarm/Inspect", Access::manager, true},
    MethodRule{"/swarm.v1.Swarm/JoinToken", Access::manager, true},
    MethodRule{"/swarm.v1.Tasks/List", Access::manager, true},
};

Status denied(std::string_view method, std::string_view why) {
  return absl::PermissionDeniedError(std::string(method) + " is refused: " + std::string(why));
}

}  // namespace

std::span<const MethodRule> method_rules() {
  return kRules;
}

const MethodRule* find_rule(std::string_view method) {
  const auto found = std::find_if(kRules.begin(), kRules.end(), [method](const MethodRule& rule) {
    return rule.method == method;
  });
  return found == kRules.end() ? nullptr : &*found;
}

Status authorize_remote(std::string_view method, const PeerIdentity& peer,
                        const model::SwarmId& swarm) {
  const MethodRule* rule = find_rule(method);
  if (rule == nullptr || rule->remote == Access::nobody) {
    return denied(method, "it is not offered over the network");
  }
  if (rule->remote == Access::anyone) {
    return absl::OkStatus();
  }
  if (!peer.is_known()) {
    return absl::UnauthenticatedError(std::string(method) +
                                      " needs the certificate of a node of this swarm");
  }
  if (peer.swarm != swarm) {
    return denied(method, "the caller's certificate is of another swarm");
  }
  if (rule->remote == Access::manager && peer.role != model::Role::manager) {
    return denied(method, "it needs the certificate of a manager, and node " + peer.node.value() +
                              " is a worker");
  }
  return absl::OkStatus();
}

Status authorize_local(std::string_view method) {
  const MethodRule* rule = find_rule(method);
  if (rule == nullptr || !rule->is_local) {
    return denied(method, "it is not offered on the local socket");
  }
  return absl::OkStatus();
}

}  // namespace swarm::security
