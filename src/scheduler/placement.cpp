#include "scheduler/placement.h"

#include <map>
#include <optional>
#include <string>

#include "base/check.h"

namespace swarm::scheduler {
namespace {

// While a task is held back it says why, also when it has a node.
model::WaitReason wait_once_placed(const model::Task& task) {
  if (task.desired != model::TaskState::ready) {
    return model::WaitReason::none;
  }
  return task.predecessor.is_empty() ? model::WaitReason::restart_delay
                                     : model::WaitReason::predecessor;
}

model::Task assigned_to(const model::Task& pending, const model::NodeId& node, WallTime now) {
  model::Task task = pending;
  task.node = node;
  task.status.state = model::TaskState::assigned;
  task.status.at = now;
  task.status.message = "scheduler assigned task to node";
  task.status.error.clear();
  task.status.wait = wait_once_placed(task);
  return task;
}

// Nothing when the task says so already.
std::optional<model::Task> still_pending(const model::Task& pending, const std::string& reason) {
  if (pending.status.wait == model::WaitReason::no_suitable_node &&
      pending.status.error == reason) {
    return std::nullopt;
  }
  model::Task task = pending;
  task.status.wait = model::WaitReason::no_suitable_node;
  task.status.message = reason;
  task.status.error = reason;
  return task;
}

// The tasks that hold a node in the slots of a service, looked up when first needed.
class Predecessors {
 public:
  Predecessors(const state::View& view, const model::ServiceId& service)
      : view_(view), service_(service) {}

  const std::vector<state::TaskPtr>& in(model::Slot slot) {
    if (!is_loaded_) {
      for (const auto& [id, task] : view_.tasks_of(service_)) {
        if (!task->node.is_empty() && !model::is_terminal(task->status.state)) {
          by_slot_[task->slot].push_back(task);
        }
      }
      is_loaded_ = true;
    }
    return by_slot_[slot];
  }

 private:
  const state::View& view_;
  const model::ServiceId& service_;
  bool is_loaded_ = false;
  std::map<model::Slot, std::vector<state::TaskPtr>> by_slot_;
};

// See "Makes way" in scheduler.h.
const NodeAccount* node_of_predecessor(const state::View& view, NodeLedger& ledger,
                                       const Needs& needs,
                                       const std::vector<state::TaskPtr>& predecessors) {
  for (const bool with_resources : {false, true}) {
    for (const state::TaskPtr& predecessor : predecessors) {
      const auto found = ledger.nodes().find(predecessor->node);
      const auto held = ledger.needs(view, {predecessor->service, predecessor->revision});
      if (found == ledger.nodes().end() || !found->second.node || !held) {
        continue;
      }
      Allowance allowance;
      allowance.is_replica_free = predecessor->desired <= model::TaskState::running;
      if (with_resources) {
        allowance.resources = held->reservations;
      }
      if (!refusal(found->second, needs, allowance)) {
        return &found->second;
      }
    }
  }
  return nullptr;
}

std::string explain_now(const NodeLedger& ledger, const Needs& needs) {
  Refusals refusals{};
  for (const auto& [id, account] : ledger.nodes()) {
    if (account.node) {
      if (const std::optional<Filter> filter = refusal(account, needs)) {
        ++refusals[static_cast<size_t>(*filter)];
      }
    }
  }
  return explain(refusals);
}

}  // namespace

RoundResult place_group(const state::View& view, NodeLedger& ledger, const Needs& needs,
                        const Waiting& waiting, size_t limit, WallTime now) {
  RoundResult result;
  SpreadTree tree(ledger, needs, now);
  Predecessors predecessors(view, needs.service);
  std::string explanation;
  for (const auto& [slot, id] : waiting) {
    const state::TaskPtr task = view.task(id);
    SWARM_CHECK(task, "what waits is stored");
    if (result.decided.size() >= limit) {
      result.is_complete = false;
      break;
    }
    const NodeAccount* picked = tree.best();
    const NodeAccount* node =
        picked ? picked : node_of_predecessor(view, ledger, needs, predecessors.in(task->slot));
    if (!node) {
      if (explanation.empty()) {
        explanation = explain_now(ledger, needs);
      }
      if (std::optional<model::Task> told = still_pending(*task, explanation)) {
        result.decided.push_back(*std::move(told));
      }
      continue;
    }
    auto placed = std::make_shared<const model::Task>(assigned_to(*task, node->node->id, now));
    ledger.book(view, placed);
    if (picked) {
      tree.took(!refusal(*picked, needs));
    }
    result.decided.push_back(*placed);
  }
  return result;
}

}  // namespace swarm::scheduler
