#include "scheduler/placement.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "scheduler/mutants.h"
#include "scheduler/port_holder.h"
#include "state/task_wait.h"

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

std::string message_once_placed(const state::View& view, const model::Task& task) {
  switch (task.status.wait) {
    case model::WaitReason::restart_delay:
      return state::wait_for_restart_delay(task).what;
    case model::WaitReason::predecessor:
      return state::wait_for_predecessor(view, task).what;
    default:
      return "scheduler assigned task to node";
  }
}

model::Task assigned_to(const state::View& view, const model::Task& pending,
                        const model::NodeId& node, WallTime now) {
  model::Task task = pending;
  task.node = node;
  task.status.state = model::TaskState::assigned;
  task.status.at = now;
  task.status.error.clear();
  task.status.wait = wait_once_placed(task);
  task.status.message = message_once_placed(view, task);
  return task;
}

// Nothing when the task says so already.
std::optional<model::Task> still_pending(const model::Task& pending, const std::string& message,
                                         const std::string& error) {
  model::Task task = pending;
  task.status.wait = model::WaitReason::no_suitable_node;
  task.status.message = message;
  task.status.error = error;
  return task == pending ? std::nullopt : std::optional(std::move(task));
}

// A slot whose tasks are out of the books while a successor is placed in it.
class LiftedSlot {
 public:
  LiftedSlot(NodeLedger& ledger, SpreadTree& tree, const model::ServiceId& service,
             model::Slot slot)
      : ledger_(ledger),
        tree_(tree),
        service_(service),
        slot_(slot),
        predecessors_(ledger.predecessors(service, slot)) {
    for (const state::TaskPtr& task : predecessors_) {
      const auto found = ledger_.nodes().find(task->node);
      if (found != ledger_.nodes().end() && found->second.node) {
        accounts_.push_back(&found->second);
      }
    }
    if (!SWARM_SCHEDULER_MUTANT(predecessor_counts)) {
      ledger_.lift(service_, slot_);
    }
    refresh();
  }
  LiftedSlot(const LiftedSlot&) = delete;
  LiftedSlot& operator=(const LiftedSlot&) = delete;
  ~LiftedSlot() {
    ledger_.restore(service_, slot_);
    refresh();
  }

  // Books the successor.
  void take(const state::View& view, const state::TaskPtr& successor, const NodeAccount& node) {
    ledger_.book(view, successor);
    accounts_.push_back(&node);
  }

  const std::vector<state::TaskPtr>& predecessors() const { return predecessors_; }

 private:
  void refresh() {
    for (const NodeAccount* account : accounts_) {
      tree_.refresh(*account);
    }
  }

  NodeLedger& ledger_;
  SpreadTree& tree_;
  const model::ServiceId& service_;
  const model::Slot slot_;
  const std::vector<state::TaskPtr> predecessors_;
  std::vector<const NodeAccount*> accounts_;  // what the slot has to do with
};

// Where a predecessor is or was, if that node takes the successor.
struct Home {
  const NodeAccount* node = nullptr;
  // A task that holds its place is there; else the last one of the slot ended there.
  bool is_held = false;
};

Home home_of(const NodeLedger& ledger, const Needs& needs,
             const std::vector<state::TaskPtr>& predecessors) {
  for (const state::TaskPtr& task : predecessors) {
    const auto found = ledger.nodes().find(task->node);
    if (found != ledger.nodes().end() && found->second.node && !refusal(found->second, needs)) {
      return {&found->second, !model::is_terminal(task->status.state)};
    }
  }
  return {};
}

// A node that a successor waits for, and until when.
struct SuspectHome {
  state::NodePtr node;
  WallTime until;
};

// The node of the first predecessor that has a say, when nothing but a fresh suspicion stands
// against it. A suspicion mostly ends within the heartbeat patience, one way or the other; a daemon
// may be away for minutes, and nobody waits for that.
std::optional<SuspectHome> suspect_home_of(const state::View& view, const NodeLedger& ledger,
                                           const Needs& needs,
                                           const std::vector<state::TaskPtr>& predecessors,
                                           WallTime now) {
  for (const state::TaskPtr& task : predecessors) {
    const auto found = ledger.nodes().find(task->node);
    if (found == ledger.nodes().end() || !found->second.node) {
      continue;
    }
    if (!refusal(found->second, needs)) {
      return std::nullopt;
    }
    const state::NodePtr& node = found->second.node;
    const std::optional<WallTime> until = state::suspicion_end(view, *node);
    if (until && now < *until && is_refused_for_suspicion_only(found->second, needs)) {
      return SuspectHome{node, *until};
    }
  }
  return std::nullopt;
}

// See "A task stays where it is" in scheduler.h.
const NodeAccount* pick(const NodeLedger& ledger, const SpreadTree& tree, const Needs& needs,
                        const std::vector<state::TaskPtr>& predecessors, WallTime now) {
  if (SWARM_SCHEDULER_MUTANT(home_has_no_say)) {
    return tree.best(nullptr);
  }
  const Home home = home_of(ledger, needs, predecessors);
  if (home.node && needs.is_tied_to_node) {
    const bool has_failed_there =
        home.node->counted_failures({needs.service, needs.revision}, now) > 0;
    if (home.is_held || !has_failed_there) {
      return home.node;
    }
  }
  return tree.best(home.node);
}

std::string explain_now(const state::View& view, const NodeLedger& ledger, const Needs& needs) {
  Refusals refusals{};
  std::string port_holder;
  for (const auto& [id, account] : ledger.nodes()) {
    if (account.node) {
      if (const std::optional<Filter> filter = refusal(account, needs)) {
        ++refusals[static_cast<size_t>(*filter)];
        if (*filter == Filter::host_port && port_holder.empty()) {
          port_holder = port_holder_on(view, account, needs);
        }
      }
    }
  }
  return explain(refusals, port_holder);
}

// The slots of a group keep their places until each is placed: a stop-first update of several at
// once must not shuffle them.
class KeptPlaces {
 public:
  KeptPlaces(NodeLedger& ledger, const model::ServiceId& service, const Waiting& waiting)
      : ledger_(ledger), service_(service), waiting_(waiting) {
    keep(true);
  }
  KeptPlaces(const KeptPlaces&) = delete;
  KeptPlaces& operator=(const KeptPlaces&) = delete;
  ~KeptPlaces() { keep(false); }

 private:
  void keep(bool is_kept) {
    for (const auto& [slot, id] : waiting_) {
      ledger_.keep_place(service_, slot, is_kept);
    }
  }

  NodeLedger& ledger_;
  const model::ServiceId& service_;
  const Waiting& waiting_;
};

}  // namespace

RoundResult place_group(const state::View& view, NodeLedger& ledger, const Needs& needs,
                        const Waiting& waiting, size_t limit, WallTime now) {
  RoundResult result;
  const KeptPlaces kept(ledger, needs.service, waiting);
  SpreadTree tree(ledger, needs, now);
  std::string explanation;
  for (const auto& [slot, id] : waiting) {
    const state::TaskPtr task = view.task(id);
    SWARM_CHECK(task, "what waits is stored");
    if (result.decided.size() >= limit) {
      result.is_complete = false;
      break;
    }
    LiftedSlot lifted(ledger, tree, needs.service, slot);
    if (const auto home = suspect_home_of(view, ledger, needs, lifted.predecessors(), now)) {
      result.retry_at = std::min(result.retry_at.value_or(home->until), home->until);
      result.tell(still_pending(
          *task, "waiting for node " + model::display_name(*home->node) + ", which is not heard of",
          ""));
      continue;
    }
    const NodeAccount* const node = pick(ledger, tree, needs, lifted.predecessors(), now);
    if (!node) {
      if (explanation.empty()) {
        explanation = explain_now(view, ledger, needs);
      }
      result.tell(still_pending(*task, explanation, explanation));
      continue;
    }
    auto placed =
        std::make_shared<const model::Task>(assigned_to(view, *task, node->node->id, now));
    lifted.take(view, placed, *node);
    result.decided.push_back(*placed);
  }
  return result;
}

}  // namespace swarm::scheduler
