#include "orchestrator/slots.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "model/update_order.h"
#include "orchestrator/restart_policy.h"
#include "state/task_wait.h"

namespace swarm::orchestrator {

using model::RolloutState;
using model::TaskState;

bool is_wanted(const model::Task& task) {
  return task.desired <= TaskState::running;
}

bool is_live(const model::Task& task) {
  return is_wanted(task) && !model::is_terminal(task.status.state);
}

bool is_running(const model::Task& task) {
  return is_wanted(task) && task.status.state == TaskState::running;
}

bool is_working(const model::Task& task) {
  return is_wanted(task) && model::is_working(task.status);
}

bool is_gone(const state::View& view, const model::Task& task) {
  if (model::is_terminal(task.status.state)) {
    return true;
  }
  if (task.node.is_empty()) {
    return !is_wanted(task);
  }
  const state::NodePtr node = view.node(task.node);
  return !node || node->status.state == model::NodeState::down;
}

bool is_older(const model::Task& a, const model::Task& b) {
  const bool a_is_new = !is_set(a.status.running_since);
  const bool b_is_new = !is_set(b.status.running_since);
  return std::tie(a.meta.created_at, a.restarts, a.window_restarts, a_is_new, a.id) <
         std::tie(b.meta.created_at, b.restarts, b.window_restarts, b_is_new, b.id);
}

bool SlotTasks::has_wanted() const {
  return std::any_of(tasks.begin(), tasks.end(),
                     [](const model::Task* task) { return is_wanted(*task); });
}

const model::Task* SlotTasks::newest() const {
  const auto found = std::find_if(tasks.rbegin(), tasks.rend(), [](const model::Task* task) {
    return task->desired != TaskState::remove;
  });
  return found == tasks.rend() ? nullptr : *found;
}

std::vector<SlotTasks> slots_of(const state::View& view, const model::ServiceId& service) {
  std::vector<const model::Task*> tasks;
  for (const auto& [id, task] : view.tasks_of(service)) {
    tasks.push_back(task.get());
  }
  std::sort(tasks.begin(), tasks.end(), [](const model::Task* a, const model::Task* b) {
    return a->slot != b->slot ? a->slot < b->slot : is_older(*a, *b);
  });
  std::vector<SlotTasks> slots;
  for (const model::Task* task : tasks) {
    if (slots.empty() || slots.back().number != task->slot) {
      slots.push_back({task->slot, {}});
    }
    slots.back().tasks.push_back(task);
  }
  return slots;
}

bool is_settled(const state::View& view, const SlotTasks& slot) {
  const model::Task* newest = slot.newest();
  return newest && !slot.has_wanted() && !may_restart(*view.template_of(*newest).restart, *newest);
}

bool is_occupied(const state::View& view, const SlotTasks& slot) {
  return slot.has_wanted() || is_settled(view, slot);
}

bool is_rollout_moving(const model::Service& service) {
  return service.rollout && model::is_moving(service.rollout->state);
}

bool is_rollout_open(const model::Service& service) {
  return service.rollout && !model::is_final(service.rollout->state);
}

bool is_rollback(const model::Rollout& rollout) {
  return rollout.state == RolloutState::rollback_started ||
         rollout.state == RolloutState::rollback_paused;
}

const model::UpdatePolicy& policy_of(const model::Service& service) {
  return service.rollout && is_rollback(*service.rollout) ? *service.settings.rollback
                                                          : *service.settings.update;
}

model::UpdateOrder order_of(const state::View& view, const model::Service& service,
                            model::RevisionNumber revision) {
  const state::RevisionPtr stored = view.revision(service.id, revision);
  SWARM_CHECK(stored, "the revision of a task to be made is stored");
  return model::effective_order(policy_of(service), stored->task);
}

void note_converged(model::Service& service, model::RevisionNumber revision) {
  std::vector<model::RevisionNumber>& converged = service.converged;
  std::erase(converged, revision);
  converged.push_back(revision);
  if (converged.size() > model::kRevisionHistory) {
    converged.erase(converged.begin());
  }
}

model::Task make_task(const model::Service& service, model::Slot slot,
                      model::RevisionNumber revision, WallTime now) {
  model::Task task;
  task.service = service.id;
  task.slot = slot;
  task.revision = revision;
  task.status.state = TaskState::pending;
  task.status.at = now;
  task.status.message = "pending task scheduling";
  return task;
}

void hold_behind(const state::View& view, const model::Service& service, const SlotTasks& slot,
                 model::Task& task) {
  if (order_of(view, service, task.revision) != model::UpdateOrder::stop_first) {
    return;
  }
  for (const model::Task* other : slot.tasks) {
    // A task without a node that is retired in this transaction never gets one.
    if (!other->node.is_empty() && !is_gone(view, *other)) {
      task.predecessor = other->id;
    }
  }
  if (!task.predecessor.is_empty()) {
    task.desired = TaskState::ready;
    task.status.wait = model::WaitReason::predecessor;
    task.status.message = state::wait_for_predecessor(view, task).what;
  }
}

}  // namespace swarm::orchestrator
