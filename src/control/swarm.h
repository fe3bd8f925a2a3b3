#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/context.h"
#include "model/cluster.h"
#include "model/node.h"

namespace swarm::control {

// The first transaction of a new swarm: the cluster object and its first node, a manager.
Result<state::ChangeSet> create_cluster(Context context, model::Cluster cluster, model::Node first);

// A node that showed `token_secret` gets a record with the role of that token; its certificate is
// made by the caller from the id. PERMISSION_DENIED for a secret that is not valid (any more).
struct AdmittedNode {
  model::NodeId id;
  model::Role role = model::Role::worker;
  state::ChangeSet changes;
};
Result<AdmittedNode> admit_node(Context context, std::string_view token_secret,
                                model::Availability availability);

// The node's certificate now says `role`.
Result<state::ChangeSet> record_role(Context context, const model::NodeId& id, model::Role role);

// The node is a member of the Raft group at this address, or no longer one.
Result<state::ChangeSet> record_member(Context context, const model::NodeId& id,
                                       model::ManagerStatus manager);
Result<state::ChangeSet> record_member_removed(Context context, const model::NodeId& id);

// A new secret for the join token of `role`; the old one stops working.
Result<state::ChangeSet> rotate_join_token(Context context, model::Role role,
                                           std::string new_secret);

}  // namespace swarm::control
