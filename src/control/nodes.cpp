#include "control/nodes.h"

#include <string>
#include <utility>

#include "model/task.h"
#include "model/validate.h"

namespace swarm::control {
namespace {

using model::NodeState;
using model::Role;

std::string name_of(const model::Node& node) {
  const std::string& hostname = node.description.hostname;
  return "node " + (hostname.empty() ? node.id.value() : hostname);
}

Status no_such_node(std::string_view reference) {
  return absl::NotFoundError("node \"" + std::string(reference) +
                             "\" not found: `swarmctl node ls` lists the nodes");
}

// Raft members as they will be: those that are not on their way out.
size_t lasting_members_besides(const state::View& view, const model::NodeId& id) {
  size_t count = 0;
  for (const auto& [other, node] : view.nodes()) {
    count += other != id && node->manager && node->spec.role == Role::manager ? 1 : 0;
  }
  return count;
}

size_t count_members(const state::View& view) {
  size_t count = 0;
  for (const auto& [id, node] : view.nodes()) {
    count += node->manager ? 1 : 0;
  }
  return count;
}

Status check_demotion(const state::View& view, const model::Node& node, size_t reachable_managers) {
  if (!node.manager) {
    return absl::OkStatus();  // promoted, but has not joined the managers
  }
  if (lasting_members_besides(view, node.id) == 0) {
    return absl::FailedPreconditionError(name_of(node) +
                                         " is the last manager of the swarm and cannot be demoted: "
                                         "promote another node first with `swarmctl node promote`");
  }
  const size_t members = count_members(view) - 1;
  const size_t quorum = members / 2 + 1;
  const bool counts = node.status.state != NodeState::down && reachable_managers > 0;
  const size_t reachable = reachable_managers - (counts ? 1 : 0);
  if (reachable < quorum) {
    return absl::FailedPreconditionError(
        "demoting " + name_of(node) + " would lose quorum: only " + std::to_string(reachable) +
        " of the other " + std::to_string(members) + " managers can be reached, " +
        std::to_string(quorum) + " are needed: bring a manager back first");
  }
  return absl::OkStatus();
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

Status check_removal(const model::Node& node, bool force) {
  if (node.manager || node.spec.role == Role::manager) {
    return absl::FailedPreconditionError(name_of(node) +
                                         " is a manager and can't be removed: demote it first with "
                                         "`swarmctl node demote`");
  }
  if (node.status.state != NodeState::down && !force) {
    return absl::FailedPreconditionError(
        name_of(node) +
        " is not down and can't be removed: "
        "let it leave with `swarmctl swarm leave` there, or use --force");
  }
  return absl::OkStatus();
}

}  // namespace

Result<state::ChangeSet> update_node(Context context, const model::NodeId& id,
                                     model::Position version, const model::NodeSpec& spec,
                                     size_t reachable_managers) {
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
    SWARM_RETURN_IF_ERROR(check_demotion(context.view, *stored, reachable_managers));
  }
  state::ChangeSet changes;
  if (spec != stored->spec) {
    model::Node node = *stored;
    node.spec = spec;
    changes.put(std::move(node));
  }
  return changes;
}

Result<state::ChangeSet> remove_node(Context context, std::string_view reference, bool force) {
  const Result<state::NodePtr> found = context.view.find_node(reference);
  if (absl::IsNotFound(found.status())) {
    return no_such_node(reference);
  }
  SWARM_RETURN_IF_ERROR(found.status());
  const model::Node& node = **found;
  SWARM_RETURN_IF_ERROR(check_removal(node, force));
  state::ChangeSet changes;
  orphan_tasks(context, node, &changes);
  if (context.view.cluster() != nullptr) {
    model::Cluster cluster = *context.view.cluster();
    cluster.removed_nodes.insert(node.id);
    changes.put(std::move(cluster));
  }
  changes.remove(node.id);
  return changes;
}

}  // namespace swarm::control
