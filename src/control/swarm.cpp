#include "control/swarm.h"

#include <string>
#include <utility>

#include "base/secret.h"

namespace swarm::control {
namespace {

using model::Role;

Status no_swarm() {
  return absl::FailedPreconditionError(
      "there is no swarm yet: make one with `swarmctl swarm init`");
}

Result<state::NodePtr> find(const Context& context, const model::NodeId& id) {
  state::NodePtr node = context.view.node(id);
  if (node == nullptr) {
    return absl::NotFoundError("node " + id.value() +
                               " is not part of this swarm (any more): let it join again");
  }
  return node;
}

// An empty one is no secret: nobody is admitted by it.
bool is_secret(std::string_view given, std::string_view expected) {
  return !expected.empty() && equal_secrets(given, expected);
}

}  // namespace

Result<state::ChangeSet> create_cluster(Context context, model::Cluster cluster,
                                        model::Node first) {
  if (context.view.cluster() != nullptr) {
    return absl::FailedPreconditionError("this node is already part of swarm " +
                                         context.view.cluster()->id.value() +
                                         ": leave it first with `swarmctl swarm leave`");
  }
  if (cluster.id.is_empty() || first.id.is_empty()) {
    return absl::InvalidArgumentError("a new swarm needs an id, and its first node another");
  }
  cluster.meta = {};
  first.meta = {};
  first.spec.role = Role::manager;
  first.role = Role::manager;
  state::ChangeSet changes;
  changes.put(std::move(cluster));
  changes.put(std::move(first));
  return changes;
}

Result<AdmittedNode> admit_node(Context context, std::string_view token_secret,
                                model::Availability availability) {
  const state::ClusterPtr& cluster = context.view.cluster();
  if (cluster == nullptr) {
    return no_swarm();
  }
  // Both are compared, so that the time does not tell which role a wrong secret came near to.
  const bool is_manager = is_secret(token_secret, cluster->manager_token_secret);
  const bool is_worker = is_secret(token_secret, cluster->worker_token_secret);
  if (!is_manager && !is_worker) {
    return absl::PermissionDeniedError(
        "the join token is not valid (any more): get the present one on a manager with "
        "`swarmctl swarm join-token worker` or `swarmctl swarm join-token manager`");
  }
  AdmittedNode admitted;
  admitted.id = model::NodeId(random_id(context.random));
  admitted.role = is_manager ? Role::manager : Role::worker;
  model::Node node;
  node.id = admitted.id;
  node.spec.role = admitted.role;
  node.spec.availability = availability;
  node.role = admitted.role;
  node.status.message = "joined, not heard of yet";
  node.status.at = context.now;
  admitted.changes.put(std::move(node));
  return admitted;
}

Result<state::ChangeSet> record_role(Context context, const model::NodeId& id, Role role) {
  SWARM_ASSIGN_OR_RETURN(const state::NodePtr stored, find(context, id));
  state::ChangeSet changes;
  if (stored->role != role) {
    model::Node node = *stored;
    node.role = role;
    changes.put(std::move(node));
  }
  return changes;
}

Result<state::ChangeSet> record_member(Context context, const model::NodeId& id,
                                       model::ManagerStatus manager) {
  SWARM_ASSIGN_OR_RETURN(const state::NodePtr stored, find(context, id));
  const state::ClusterPtr& cluster = context.view.cluster();
  const std::string member = "member " + std::to_string(manager.member.value());
  if (manager.member.is_empty()) {
    return absl::InvalidArgumentError("member 0 is nobody: a member has a number from 1");
  }
  if (cluster != nullptr && cluster->removed_members.contains(manager.member)) {
    return absl::FailedPreconditionError(member +
                                         " was removed: a manager that returns is a new "
                                         "member");
  }
  for (const auto& [other, node] : context.view.nodes()) {
    if (other != id && node->manager && node->manager->member == manager.member) {
      return absl::AlreadyExistsError(member + " is node " + other.value());
    }
  }
  state::ChangeSet changes;
  if (stored->manager != manager) {
    model::Node node = *stored;
    node.manager = std::move(manager);
    changes.put(std::move(node));
  }
  return changes;
}

Result<state::ChangeSet> record_member_removed(Context context, const model::NodeId& id) {
  SWARM_ASSIGN_OR_RETURN(const state::NodePtr stored, find(context, id));
  state::ChangeSet changes;
  if (!stored->manager) {
    return changes;
  }
  if (context.view.cluster() != nullptr) {
    model::Cluster cluster = *context.view.cluster();
    cluster.removed_members.insert(stored->manager->member);
    changes.put(std::move(cluster));
  }
  model::Node node = *stored;
  node.manager.reset();
  changes.put(std::move(node));
  return changes;
}

Result<state::ChangeSet> rotate_join_token(Context context, Role role, std::string new_secret) {
  if (context.view.cluster() == nullptr) {
    return no_swarm();
  }
  if (new_secret.empty()) {
    return absl::InvalidArgumentError("a join token needs a secret, saw an empty one");
  }
  model::Cluster cluster = *context.view.cluster();
  (role == Role::manager ? cluster.manager_token_secret : cluster.worker_token_secret) =
      std::move(new_secret);
  state::ChangeSet changes;
  changes.put(std::move(cluster));
  return changes;
}

}  // namespace swarm::control
