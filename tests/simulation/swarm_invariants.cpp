#include "swarm_invariants.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/units.h"

namespace swarm::test {

namespace {

// What a person needs to see of a service that is not as it should be.
std::string describe(const state::View& view, const model::Service& service) {
  std::string text = " [revision " + std::to_string(service.revision) + ", " +
                     std::to_string(service.settings.replicas) + " replicas";
  if (service.rollout) {
    text += ", " + std::string(model::to_string(service.rollout->state)) + " from " +
            std::to_string(service.rollout->from) + " to " + std::to_string(service.rollout->to) +
            " (" + service.rollout->message + "), " +
            std::to_string(service.rollout->failed_slots.size()) + " failed slots";
  }
  for (const auto& [id, task] : view.tasks_of(service.id)) {
    if (task->desired <= model::TaskState::running || !model::is_terminal(task->status.state)) {
      text += "; " + id.value() + " slot " + std::to_string(task->slot) + " revision " +
              std::to_string(task->revision) + " to be " +
              std::string(model::to_string(task->desired)) + " is " +
              std::string(model::to_string(task->status.state));
    }
  }
  return text + "]";
}

}  // namespace

void SwarmInvariants::violate(const std::string& what) {
  if (!violation_) {
    violation_ = what;
  }
}

void SwarmInvariants::look() {
  for (const auto& machine : managers_.all()) {
    if (!machine->leads()) {
      continue;
    }
    const raft::Term term = *machine->manager->leading_term();
    const auto [found, is_new] = leaders_.try_emplace(term, machine->member);
    if (!is_new && found->second != machine->member) {
      violate("two leaders are ready in term " + std::to_string(term.value()));
    }
    const state::View view = machine->manager->store().view();
    if (std::exchange(seen_[machine.get()], view.position()) != view.position()) {
      look_at_nodes(view);
      look_at_waits(view, machine->manager->loop().wall_now());
    }
  }
  look_at_slots();
}

void SwarmInvariants::look_at_nodes(const state::View& view) {
  for (const auto& [id, node] : view.nodes()) {
    const bool is_down = node->status.state == model::NodeState::down;
    for (const auto& [task_id, task] : view.tasks_on(id)) {
      // Orphaned: its engine was away for too long.
      if (is_down || task->status.state == model::TaskState::orphaned) {
        given_up_.insert(task_id);
      }
    }
  }
}

void SwarmInvariants::look_at_waits(const state::View& view, WallTime now) {
  for (const auto& [id, task] : view.tasks()) {
    if (task->desired == model::TaskState::ready &&
        task->not_before > now + model::kMaxRestartDelay) {
      violate("task " + id.value() + " is held back for " +
              format_duration(task->not_before - now) + ": longer than any restart delay");
    }
  }
  for (const auto& [id, service] : view.services()) {
    if (service->rollout && service->rollout->started_at > now) {
      violate("the rollout of " + service->settings.name + " began in the future");
    }
  }
}

// Where a service is stop-first, asked for or for the sake of its data, no two tasks of a slot run,
// except where a node had been given up.
void SwarmInvariants::look_at_slots() {
  std::set<model::TaskId> now;
  for (const auto& machine : agents_.all()) {
    now.merge(machine->executor.running());
  }
  if (now == running_) {
    return;
  }
  running_ = std::move(now);
  std::map<std::pair<std::string, model::Slot>, model::TaskId> slots;
  for (const auto& machine : agents_.all()) {
    for (const model::TaskId& task : machine->executor.running()) {
      const agent::TaskLabels& labels = machine->executor.labels(task);
      if (!never_overlaps(labels.service_name) || given_up_.contains(task)) {
        continue;
      }
      const auto [found, is_new] = slots.try_emplace({labels.service_name, labels.slot}, task);
      if (!is_new) {
        violate("two tasks of slot " + labels.service_name + "." + std::to_string(labels.slot) +
                " run: " + found->second.value() + " and " + task.value());
      }
    }
  }
}

void SwarmInvariants::compare_stores() {
  for (const auto& machine : managers_.all()) {
    if (!machine->is_up()) {
      continue;
    }
    const state::Store& store = machine->manager->store();
    std::string state;
    const std::function<std::string()> next_chunk = store.snapshot();
    for (std::string chunk = next_chunk(); !chunk.empty(); chunk = next_chunk()) {
      state += chunk;
    }
    const auto [found, is_new] = states_.try_emplace(store.committed(), std::move(state));
    if (!is_new && found->second != state && !state.empty()) {
      violate(machine->name + " has another state at position " +
              std::to_string(store.committed()));
    }
  }
}

void SwarmInvariants::acknowledged(const std::string& service, uint64_t operation) {
  acknowledged_[service].insert(operation);
  ++writes_;
}

void SwarmInvariants::check_present(const state::View& view, const Acknowledged& expected,
                                    const std::set<std::string>& removed, const std::string& who) {
  for (const auto& [name, operations] : expected) {
    if (removed.contains(name)) {
      continue;
    }
    const state::ServicePtr service = view.service_by_name(name);
    for (const uint64_t operation : operations) {
      if (service == nullptr || !service->settings.labels.contains(operation_label(operation))) {
        violate(who + " lacks acknowledged operation " + std::to_string(operation) + " of " + name);
        return;
      }
    }
  }
}

std::string SwarmInvariants::unrest() {
  ManagerMachines::Machine* const leader = managers_.leader();
  if (leader == nullptr) {
    return "nobody leads";
  }
  const state::View view = leader->manager->store().view();
  for (const auto& machine : managers_.all()) {
    if (!machine->is_up() || machine->manager->store().committed() != view.position()) {
      return machine->name + " lags behind";
    }
  }
  for (const auto& [id, node] : view.nodes()) {
    const bool has_agent = std::ranges::any_of(
        agents_.all(), [&node_id = id](const auto& machine) { return machine->node == node_id; });
    if (has_agent && node->status.state != model::NodeState::ready) {
      return node->description.hostname + " is " +
             std::string(model::to_string(node->status.state));
    }
  }
  std::set<model::TaskId> expected;
  for (const auto& [id, service] : view.services()) {
    std::string lacks = unrest_of(view, *service, expected);
    if (!lacks.empty()) {
      return service->settings.name + ": " + lacks + describe(view, *service);
    }
  }
  for (const model::TaskId& task : running_) {
    if (!expected.contains(task)) {
      return "task " + task.value() + " runs and should not";
    }
  }
  return expected == running_ ? unserved(view) : "a task does not run and should";
}

// Which target port of a running task its mesh does not know.
std::string SwarmInvariants::unserved(const state::View& view) const {
  for (const auto& machine : agents_.all()) {
    for (const auto& [id, task] : view.tasks_on(machine->node)) {
      if (task->status.state != model::TaskState::running) {
        continue;
      }
      for (const model::PublishedPort& port : view.template_of(*task).ports) {
        if (!machine->mesh.serves(id, port.target)) {
          return "task " + id.value() + " is not served at " + std::to_string(port.target);
        }
      }
    }
  }
  return "";
}

std::string SwarmInvariants::unrest_of(const state::View& view, const model::Service& service,
                                       std::set<model::TaskId>& expected) const {
  if (service.is_removed) {
    return "is being removed";
  }
  using State = model::RolloutState;
  const std::optional<State> state =
      service.rollout ? std::optional(service.rollout->state) : std::nullopt;
  if (state == State::updating || state == State::rollback_started) {
    return std::string("rollout is ") + std::string(model::to_string(*state));
  }
  const bool is_paused = state == State::paused || state == State::rollback_paused;
  std::map<model::Slot, size_t> slots;
  for (const auto& [id, task] : view.tasks_of(service.id)) {
    if (task->desired > model::TaskState::running) {
      // One that never had a node has nothing to end.
      if (!model::is_terminal(task->status.state) && !task->node.is_empty()) {
        const state::NodePtr node = view.node(task->node);
        return "task " + id.value() + " is to be " + std::string(model::to_string(task->desired)) +
               " and is " + std::string(model::to_string(task->status.state)) + " on " +
               (node == nullptr ? "no node" : node->description.hostname) + " (" +
               task->status.message + "; node is " +
               (node == nullptr ? "" : std::string(model::to_string(node->status.state))) + ")";
      }
      continue;
    }
    const bool runs = task->status.state == model::TaskState::running;
    if (runs) {
      expected.insert(id);
    }
    if (runs && (is_paused || task->revision == service.revision)) {
      ++slots[task->slot];
    } else if (!is_paused) {
      return "task " + id.value() + " of revision " + std::to_string(task->revision) + " is " +
             std::string(model::to_string(task->status.state)) + " (" + task->status.message +
             task->status.error + ")";
    }
  }
  if (!is_paused && slots.size() != service.settings.replicas) {
    return std::to_string(slots.size()) + " of " + std::to_string(service.settings.replicas) +
           " slots run";
  }
  for (const auto& [slot, tasks] : slots) {
    if (tasks != 1 && !is_paused) {
      return "slot " + std::to_string(slot) + " has " + std::to_string(tasks) + " tasks";
    }
  }
  return "";
}

}  // namespace swarm::test
