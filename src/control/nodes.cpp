#include "control/nodes.h"

#include <string>
#include <utility>
#include <vector>

#include "model/task.h"
#include "model/validate.h"

namespace swarm::control {
namespace {

using model::NodeState;
using model::Role;

std::string name_of(const model::Node& node) {
  return "node " + model::display_name(node);
}

Status no_such_node(std::string_view reference) {
  return absl::NotFoundError("node \"" + std::string(reference) +
                             "\" not found: `swarmctl node ls` lists the nodes");
}

// The configuration that will hold when `leaving` and all who are on their way out are gone.
std::vector<state::NodePtr> managers_without(const state::View& view,
                                             const model::NodeId& leaving) {
  std::vector<state::NodePtr> managers;
  for (const auto& [id, node] : view.nodes()) {
    if (id != leaving && node->manager && node->spec.role == Role::manager) {
      managers.push_back(node);
    }
  }
  return managers;
}

// `verb`: "demoting", "removing".
Status check_leaving(const state::View& view, const model::Node& node, const std::string& verb,
                     const std::set<model::MemberId>& reachable) {
  if (!node.manager || node.spec.role == Role::worker) {
    return absl::OkStatus();  // promoted, but has not joined the managers; or leaves already
  }
  const std::vector<state::NodePtr> managers = managers_without(view, node.id);
  if (managers.empty()) {
    return absl::FailedPreconditionError(name_of(node) +
                                         " is the last manager of the swarm and cannot be demoted: "
                                         "promote another node first with `swarmctl node promote`");
  }
  std::string unreachable;
  size_t count = 0;
  for (const state::NodePtr& other : managers) {
    if (!reachable.contains(other->manager->member)) {
      unreachable += (unreachable.empty() ? "" : ", ") + name_of(*other);
      ++count;
    }
  }
  if (managers.size() - count > managers.size() / 2) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      verb + " " + name_of(node) + " would lose quorum: of the " + std::to_string(managers.size()) +
      " resulting managers, these are unreachable: " + unreachable +
      ". Start them again, or demote them first");
}

// What ran there is over as far as the swarm can know: replacements need not wait for it.
void orphan_tasks(const Context& context, const model::Node& node, state::ChangeSet* changes) {
  for (const auto& [id, stored] : context.view.tasks_on(node.id)) {
    if (model::is_terminal(stored->status.state)) continue;
    model::Task task = *stored;
    task.status.state = model::TaskState::orphaned;
    task.status.at = context.now;
    task.status.message = name_of(node) + " was removed from the swarm";
    task.status.wait = model::WaitReason::none;
    changes->put(std::move(task));
  }
}

void drop_node(const Context& context, const model::Node& node, state::ChangeSet* changes) {
  orphan_tasks(context, node, changes);
  if (context.view.cluster() != nullptr) {
    model::Cluster cluster = *context.view.cluster();
    cluster.removed_nodes.insert(node.id);
    if (node.manager) {
      cluster.removed_members.insert(node.manager->member);
    }
    changes->put(std::move(cluster));
  }
  changes->remove(node.id);
}

Status check_removal(const state::View& view, const model::Node& node, bool force,
                     const std::set<model::MemberId>& reachable) {
  const bool is_member = node.manager || node.spec.role == Role::manager;
  const bool is_alive = node.manager ? reachable.contains(node.manager->member)
                                     : node.status.state == NodeState::ready;
  if (is_member && (!force || is_alive)) {
    return absl::FailedPreconditionError(
        name_of(node) +
        " is a manager and cannot be removed: demote it first with `swarmctl node "
        "demote`" +
        (is_alive ? "" : ", or use --force if it is gone for good"));
  }
  if (is_member) {
    return check_leaving(view, node, "removing", reachable);
  }
  if (node.status.state != NodeState::down && !force) {
    return absl::FailedPreconditionError(
        name_of(node) +
        " is not down and cannot be removed: "
        "let it leave with `swarmctl swarm leave` there, or use --force");
  }
  return absl::OkStatus();
}

}  // namespace

Result<state::ChangeSet> update_node(Context context, const model::NodeId& id,
                                     model::Position version, const model::NodeSpec& spec,
                                     const std::set<model::MemberId>& reachable) {
  const state::NodePtr stored = context.view.node(id);
  if (stored == nullptr) {
    return no_such_node(id.value());
  }
  if (version != stored->meta.version) {
    return absl::AbortedError("update out of sequence: " + name_of(*stored) +
                              " has changed meanwhile (version " +
                              std::to_string(stored->meta.version) + ", yours is " +
                              std::to_string(version) + "): read it again and repeat the update");
  }
  SWARM_RETURN_IF_ERROR(model::validate_labels(spec.labels));
  if (stored->spec.role == Role::manager && spec.role == Role::worker) {
    SWARM_RETURN_IF_ERROR(check_leaving(context.view, *stored, "demoting", reachable));
  }
  state::ChangeSet changes;
  if (spec != stored->spec) {
    model::Node node = *stored;
    node.spec = spec;
    changes.put(std::move(node));
  }
  return changes;
}

Result<state::ChangeSet> remove_node(Context context, std::string_view reference, bool force,
                                     const std::set<model::MemberId>& reachable) {
  const Result<state::NodePtr> found = context.view.find_node(reference);
  if (absl::IsNotFound(found.status())) {
    return no_such_node(reference);
  }
  SWARM_RETURN_IF_ERROR(found.status());
  const model::Node& node = **found;
  SWARM_RETURN_IF_ERROR(check_removal(context.view, node, force, reachable));
  state::ChangeSet changes;
  drop_node(context, node, &changes);
  return changes;
}

Result<state::ChangeSet> give_up_promotion(Context context, const model::NodeId& id,
                                           const std::string& reason) {
  const state::NodePtr stored = context.view.node(id);
  if (stored == nullptr) {
    return no_such_node(id.value());
  }
  state::ChangeSet changes;
  const bool was_heard_of = !stored->description.hostname.empty();
  if (stored->manager) {
    return changes;  // a member that asks again stays what it is
  }
  if (!was_heard_of) {
    drop_node(context, *stored, &changes);
    return changes;
  }
  model::Node node = *stored;
  node.spec.role = Role::worker;
  node.role = Role::worker;
  node.status.message = "not promoted: " + reason;
  changes.put(std::move(node));
  return changes;
}

}  // namespace swarm::control
