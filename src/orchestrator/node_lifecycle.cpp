#include <map>
#include <set>

#include "model/placement.h"
#include "orchestrator/orchestrators.h"
#include "orchestrator/restart.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {
namespace {

// A node that is down for so long is given up: its tasks no longer count as possibly running.
constexpr Duration kOrphanAfter = hours(24);

// An engine that is restarted with many containers is back before this; nobody waits longer for a
// service that may be down.
constexpr Duration kEngineGrace = seconds(20);

enum class Condition {
  fit,          // may keep the tasks whose constraints it meets
  leave,        // suspect or unknown, or its engine is just away: wait for what it turns out to be
  daemon_away,  // suspect for longer than a node may be silent: its mesh answers
  engine_away,  // for longer than kEngineGrace
  drained,
  down,
  removed,
};

// When a node whose engine is away loses its tasks; nothing while the engine answers.
std::optional<WallTime> engine_deadline(const model::Node& node) {
  const model::NodeCondition* engine =
      model::find_condition(node.status, model::ConditionKind::engine);
  if (engine == nullptr) return std::nullopt;
  return engine->since + kEngineGrace;
}

Condition condition_of(const state::View& view, const model::Node* node, WallTime now) {
  if (!node) return Condition::removed;
  if (node->status.state == model::NodeState::down) return Condition::down;
  if (node->spec.availability == model::Availability::drain) return Condition::drained;
  if (const std::optional<WallTime> deadline = state::suspicion_end(view, *node)) {
    return *deadline <= now ? Condition::daemon_away : Condition::leave;
  }
  if (node->status.state != model::NodeState::ready) return Condition::leave;
  if (const std::optional<WallTime> deadline = engine_deadline(*node)) {
    return *deadline <= now ? Condition::engine_away : Condition::leave;
  }
  return Condition::fit;
}

bool fits(const state::View& view, const model::Task& task, const model::Node& node) {
  return model::meets_constraints(*view.template_of(task).placement, node);
}

// Takes tasks off nodes that are lost, removed, drained or no longer fit:
// - down, removed: the task is retired and its successor starts at once; whether the old one still
//   runs cannot be known. If the node returns it is told to stop it.
// - daemon away: what runs is left to serve; what does not yet is replaced as if the node were
//   down, because nobody is there to start it.
// - removed, or down for kOrphanAfter: what had not ended is orphaned.
// - drained: start-first makes the successor and leaves the task until that runs (handover), so a
//   service of one replica stays up; stop-first holds the successor until the task is gone.
// - constraints of the task's revision not met any more: retired and replaced at once.
// - engine away for kEngineGrace: as drained, but stop-first does not wait for what nobody can
//   stop; when the engine is back, it is told to stop what was replaced.
// Nodes that are just suspect, unknown or paused keep what they have. Nothing moves back to a node.
class NodeLifecycle final : public state::Reconciler {
 public:
  explicit NodeLifecycle(Random random) : random_(random) {}

  const char* name() const override { return "node_lifecycle"; }

  void load(const state::View& view, WallTime) override {
    dirty_.clear();
    look_at_.clear();
    for (const auto& [id, node] : view.nodes()) {
      dirty_.insert(id);
    }
    for (const auto& [id, task] : view.tasks()) {
      if (!task->node.is_empty()) {
        dirty_.insert(task->node);
      }
    }
  }

  void observe(const state::View& view, const std::vector<state::Change>& changes) override {
    for (const state::Change& change : changes) {
      if (const auto* node = std::get_if<state::NodePtr>(&change.after)) {
        dirty_.insert(*node ? (*node)->id : std::get<state::NodePtr>(change.before)->id);
      } else if (const auto* task = std::get_if<state::TaskPtr>(&change.after)) {
        note_task(view, std::get<state::TaskPtr>(change.before), *task);
      }
    }
  }

  state::ChangeSet decide(const state::View& view, WallTime now) override {
    for (auto due = look_at_.begin(); due != look_at_.end();) {
      if (due->second <= now) {
        dirty_.insert(due->first);
        due = look_at_.erase(due);
      } else {
        ++due;
      }
    }
    Plan plan(view, now, random_);
    touched_.clear();
    std::set<model::NodeId> again;
    while (!dirty_.empty() && !plan.is_full()) {
      const model::NodeId id = *dirty_.begin();
      dirty_.erase(dirty_.begin());
      if (!plan_node(id, plan)) {
        again.insert(id);
      }
    }
    dirty_.merge(again);
    return plan.take();
  }

  bool has_more() const override { return !dirty_.empty(); }

  std::optional<WallTime> next_deadline(const state::View&) const override {
    std::optional<WallTime> earliest;
    for (const auto& [id, at] : look_at_) {
      if (!earliest || at < *earliest) {
        earliest = at;
      }
    }
    return earliest;
  }

 private:
  using SlotKey = std::pair<model::ServiceId, model::Slot>;

  // A task may be given a node in the very moment the node goes.
  void note_task(const state::View& view, const state::TaskPtr& before,
                 const state::TaskPtr& after) {
    if (after && !after->node.is_empty() && (!before || before->node != after->node)) {
      const state::NodePtr node = view.node(after->node);
      if (condition_of(view, node.get(), WallTime::max()) != Condition::fit ||
          !fits(view, *after, *node)) {
        dirty_.insert(after->node);
      }
    }
  }

  // False when something is left for the next plan.
  bool plan_node(const model::NodeId& id, Plan& plan) {
    const state::NodePtr node = plan.view().node(id);
    const Condition condition = condition_of(plan.view(), node.get(), plan.now());
    look_at_.erase(id);
    if (condition == Condition::leave) {
      const auto suspicion = state::suspicion_end(plan.view(), *node);
      if (const auto deadline = suspicion ? suspicion : engine_deadline(*node)) {
        look_at_[id] = *deadline;
      }
      return true;
    }
    std::map<model::ServiceId, std::vector<state::TaskPtr>> tasks_of;
    for (const auto& [task_id, task] : plan.view().tasks_on(id)) {
      if (!model::is_terminal(task->status.state)) {
        tasks_of[task->service].push_back(task);
      }
    }
    const bool is_given_up = condition == Condition::removed || is_long_down(node, plan.now());
    if (condition == Condition::down && !is_given_up && !tasks_of.empty()) {
      look_at_[id] = node->status.at + kOrphanAfter;
    }
    bool is_complete = true;
    for (const auto& [service, tasks] : tasks_of) {
      is_complete = plan_service(service, tasks, condition, node.get(), plan) && is_complete;
      for (const state::TaskPtr& task : tasks) {
        if (is_given_up) {
          orphan(*task, "the node is gone", plan);
        }
      }
    }
    return is_complete;
  }

  static bool is_long_down(const state::NodePtr& node, WallTime now) {
    return node && node->status.state == model::NodeState::down &&
           node->status.at + kOrphanAfter <= now;
  }

  static void orphan(const model::Task& stored, const char* message, Plan& plan) {
    model::Task& task = plan.edit(stored);
    // Still wanted when the plan had no room: the successor comes first.
    if (is_wanted(task)) {
      return;
    }
    task.status.state = model::TaskState::orphaned;
    task.status.at = plan.now();
    task.status.message = message;
  }

  static bool stays(const state::View& view, const model::Task& task, Condition condition,
                    const model::Node* node) {
    if (condition == Condition::daemon_away) {
      return is_running(task);
    }
    return condition == Condition::fit && fits(view, task, *node);
  }

  bool plan_service(const model::ServiceId& id, const std::vector<state::TaskPtr>& tasks,
                    Condition condition, const model::Node* node, Plan& plan) {
    const state::ServicePtr service = plan.view().service(id);
    std::vector<SlotTasks> slots;  // looked up when first needed
    for (const state::TaskPtr& task : tasks) {
      if (!is_wanted(*task) || stays(plan.view(), *task, condition, node)) {
        continue;
      }
      // One change of a slot in a plan: the next must see what this one did.
      if (plan.is_full() || touched_.contains({id, task->slot})) {
        return false;
      }
      const size_t changes_before = plan.size();
      if (!service || service->is_removed) {
        plan.discard(*task);
        continue;
      }
      if (slots.empty()) {
        slots = slots_of(plan.view(), id);
      }
      for (const SlotTasks& slot : slots) {
        if (slot.number == task->slot) {
          take_off(*service, slot, *task, condition, plan);
        }
      }
      if (plan.size() > changes_before) {
        touched_.insert({id, task->slot});
      }
    }
    return true;
  }

  static void take_off(const model::Service& service, const SlotTasks& slot,
                       const model::Task& task, Condition condition, Plan& plan) {
    const bool is_start_first = order_of(plan.view(), service, successor_revision(service, task)) ==
                                model::UpdateOrder::start_first;
    const bool may_serve_on =
        condition == Condition::drained || condition == Condition::engine_away;
    if (!may_serve_on || !is_start_first || !is_running(task)) {
      replace(service, slot, task, Cause::node, plan);
      if (condition == Condition::engine_away && !is_start_first) {
        orphan(task, "the engine of its node does not answer", plan);
      }
    } else if (!has_newer_live(slot, task)) {
      add_successor(service, task, plan);
    }
  }

  Random random_;
  std::set<model::NodeId> dirty_;
  std::map<model::NodeId, WallTime> look_at_;  // again, though nothing changes
  std::set<SlotKey> touched_;                  // in the plan being made
};

}  // namespace

std::unique_ptr<state::Reconciler> make_node_lifecycle(Random random) {
  return std::make_unique<NodeLifecycle>(random);
}

}  // namespace swarm::orchestrator
