#pragma once

#include <functional>
#include <string>

#include "api/client/local_node.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "manager/address.h"
#include "manager/manager.h"
#include "manager/node_record.h"
#include "model/cluster.h"
#include "security/identity.h"
#include "state/change_set.h"
#include "state/view.h"

namespace swarm::manager {

// How a node comes to be in a swarm: what it then knows, and what proves who it is. Nothing here is
// written to disk. Blocking, with a bound; off the loops.

struct NewSwarm {
  NodeRecord record;
  security::NodeCredentials credentials;
  FirstTransaction first;
  std::string worker_token;
  std::string manager_token;
};
struct CertificateTimes {
  Duration validity{};
  Duration grace{};  // model::Cluster::certificate_grace
};
// A new swarm with a root of its own and this node as its first manager.
Result<NewSwarm> make_swarm(const SwarmAddresses& addresses, model::Availability availability,
                            const CertificateTimes& certificates, WallTime now, Random& random);

// The swarm of a backup, with this node, which it does not know, as its only manager: the same id,
// root and tokens. `first` goes on from the state in the backup.
Result<NewSwarm> take_up_swarm(const SwarmAddresses& addresses, const model::Cluster& cluster,
                               WallTime now, Random& random);

// What a person needs to add nodes to a swarm.
struct JoinTokens {
  std::string worker;
  std::string manager;
};
Result<JoinTokens> join_tokens_of(const model::Cluster& cluster);

struct Admission {
  NodeRecord record;
  security::NodeCredentials credentials;
};
// Asks the manager for admission: its root is checked against the token before the token's secret
// is sent. INVALID_ARGUMENT for a bad token or address, FAILED_PRECONDITION when the manager is of
// another swarm, PERMISSION_DENIED when the secret is not valid (any more), UNAVAILABLE within
// kJoinTimeout when nobody answers.
inline constexpr Duration kJoinTimeout = seconds(10);
Result<Admission> ask_for_admission(const api::LocalNode::JoinOptions& options,
                                    const SwarmAddresses& addresses);

}  // namespace swarm::manager
