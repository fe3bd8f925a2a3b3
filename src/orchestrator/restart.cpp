#include "orchestrator/restart.h"

#include <algorithm>

#include "orchestrator/orchestrators.h"
#include "orchestrator/restart_policy.h"
#include "orchestrator/rollout_watch.h"
#include "orchestrator/service_reconciler.h"
#include "state/task_wait.h"

namespace swarm::orchestrator {
namespace {

// The older task that serves the slot while `task` was to take over; null when there is none.
const model::Task* older_live(const SlotTasks& slot, const model::Task& task) {
  const model::Task* found = nullptr;
  for (const model::Task* other : slot.tasks) {
    if (other != &task && is_live(*other) && is_older(*other, task)) {
      found = other;
    }
  }
  return found;
}

bool stays_with_older(const model::Service& service, const SlotTasks& slot,
                      const model::Task& task) {
  const model::Task* older = older_live(slot, task);
  if (!older || older->revision == task.revision || !is_rollout_open(service)) {
    return false;
  }
  return !is_rollout_moving(service) || task.revision != service.rollout->to;
}

model::Task successor_of(const model::Service& service, const model::Task& task, Plan& plan) {
  return make_task(service, task.slot, successor_revision(service, task), plan.now());
}

// The node was to blame: what the rollout and the restart policy know about the slot stays known.
void carry_on(const model::Service& service, const model::Task& task, model::Task& successor) {
  if (successor.revision != task.revision) {
    return;
  }
  successor.restarts = task.restarts;
  successor.window_restarts = task.window_restarts;
  successor.window_started_at = task.window_started_at;
  successor.is_rollout = belongs_to_rollout(service, task) && !is_set(task.status.running_since);
}

void hold_for_attempt(const model::Service& service, const model::RestartPolicy& policy,
                      const model::Task& ended, WallTime now, model::Task& successor) {
  const Attempt attempt = next_attempt(policy, ended, service.settings.update->monitor);
  if (successor.revision == ended.revision) {
    successor.is_rollout = ended.status.is_external_stop && belongs_to_rollout(service, ended);
    successor.restarts = attempt.restarts;
    successor.window_restarts = attempt.window_restarts;
    successor.window_started_at = attempt.window_started_at;
  }
  if (attempt.delay > Duration{0}) {
    successor.not_before = now + attempt.delay;
    successor.desired = model::TaskState::ready;
    successor.status.wait = model::WaitReason::restart_delay;
    successor.status.message = state::wait_for_restart_delay(successor).what;
  }
}

class Restart final : public ServiceReconciler {
 public:
  using ServiceReconciler::ServiceReconciler;
  const char* name() const override { return "restart"; }

 protected:
  using ServiceReconciler::concerns;

  bool concerns(const state::View&, const state::TaskPtr&,
                const state::TaskPtr& after) const override {
    return after && is_wanted(*after) && !is_live(*after);
  }

  bool concerns(const state::ServicePtr&, const state::ServicePtr&) const override {
    return false;  // what ends is what counts
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    if (service.is_removed) {
      return std::nullopt;
    }
    std::optional<WallTime> deadline;
    for (const SlotTasks& slot : slots_of(plan.view(), service.id)) {
      if (plan.is_full()) {
        break;
      }
      const std::optional<WallTime> due = plan_slot(service, slot, plan);
      if (due && (!deadline || *due < *deadline)) {
        deadline = due;
      }
    }
    return deadline;
  }

 private:
  // Newest first: at most the newest is replaced, the others have it as their successor. One that
  // ended while it was held back is replaced when its own delay is over: agents prepare held tasks,
  // and one that cannot be prepared must not be tried again and again without any delay.
  static std::optional<WallTime> plan_slot(const model::Service& service, const SlotTasks& slot,
                                           Plan& plan) {
    std::optional<WallTime> due;
    bool is_replaced = false;
    for (auto task = slot.tasks.rbegin(); task != slot.tasks.rend(); ++task) {
      if (!is_wanted(**task) || is_live(**task)) {
        continue;
      }
      const bool is_orphan = (*task)->status.state == model::TaskState::orphaned;
      if (is_replaced) {
        plan.retire(**task);
      } else if ((*task)->not_before > plan.now() && !is_orphan) {
        due = (*task)->not_before;
        is_replaced = true;
      } else {
        replace(service, slot, **task, is_orphan ? Cause::node : Cause::ended, plan);
        is_replaced = true;
      }
    }
    return due;
  }
};

}  // namespace

model::RevisionNumber successor_revision(const model::Service& service, const model::Task& task) {
  return is_rollout_open(service) ? task.revision : service.revision;
}

bool has_newer_live(const SlotTasks& slot, const model::Task& task) {
  return std::any_of(slot.tasks.begin(), slot.tasks.end(), [&](const model::Task* other) {
    return is_live(*other) && is_older(task, *other);
  });
}

void replace(const model::Service& service, const SlotTasks& slot, const model::Task& task,
             Cause cause, Plan& plan) {
  plan.retire(task);
  if (has_newer_live(slot, task) || stays_with_older(service, slot, task)) {
    return;
  }
  const model::RestartPolicy& policy = *plan.view().template_of(task).restart;
  const bool is_replaced = cause == Cause::ended
                               ? may_restart(policy, task)
                               : policy.condition != model::RestartCondition::none;
  if (!is_replaced) {
    return;
  }
  model::Task successor = successor_of(service, task, plan);
  if (cause == Cause::ended) {
    hold_for_attempt(service, policy, task, plan.now(), successor);
  } else {
    carry_on(service, task, successor);
  }
  hold_behind(plan.view(), service, slot, successor);
  plan.create(std::move(successor));
}

void add_successor(const model::Service& service, const model::Task& task, Plan& plan) {
  if (plan.view().template_of(task).restart->condition == model::RestartCondition::none) {
    plan.retire(task);
    return;
  }
  model::Task successor = successor_of(service, task, plan);
  carry_on(service, task, successor);
  plan.create(std::move(successor));
}

std::unique_ptr<state::Reconciler> make_restart(Random random) {
  return std::make_unique<Restart>(random);
}

}  // namespace swarm::orchestrator
