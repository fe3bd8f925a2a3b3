#include <algorithm>

#include "orchestrator/orchestrators.h"
#include "orchestrator/service_reconciler.h"
#include "orchestrator/slots.h"
#include "orchestrator/takeover.h"
#include "state/task_wait.h"

namespace swarm::orchestrator {
namespace {

void earlier(std::optional<WallTime>& deadline, std::optional<WallTime> candidate) {
  if (candidate && (!deadline || *candidate < *deadline)) {
    deadline = candidate;
  }
}

// `task` is to serve the slot instead of `other`: it is at the service's revision, or, where that
// tells nothing, at one that has converged (a revision that was given up within its trial proves
// nothing by running), or else the newer one. After a rollback that came before anything ran, the
// older task may be the one that stays.
bool supersedes(const model::Service& service, const model::Task& task, const model::Task& other) {
  const bool is_current = task.revision == service.revision;
  if (is_current != (other.revision == service.revision)) {
    return is_current;
  }
  const auto has_converged = [&service](const model::Task& one) {
    return std::find(service.converged.begin(), service.converged.end(), one.revision) !=
           service.converged.end();
  };
  if (has_converged(task) != has_converged(other)) {
    return has_converged(task);
  }
  return is_older(other, task);
}

// When the first of the slot's running tasks takes over from `task`; nothing when none will.
std::optional<WallTime> superseded_at(const state::View& view, const model::Service& service,
                                      const SlotTasks& slot, const model::Task& task) {
  std::optional<WallTime> at;
  for (const model::Task* other : slot.tasks) {
    if (other != &task && is_running(*other) && supersedes(service, *other, task)) {
      // What does not run serves nobody, so nothing is lost by its end.
      earlier(at, is_running(task) ? takes_over_at(view, service, *other, task)
                                   : std::optional(WallTime{}));
    }
  }
  return at;
}

// start-first, second half: whoever has a good successor stops. Returns when the next one has.
std::optional<WallTime> retire_superseded(const model::Service& service, const SlotTasks& slot,
                                          Plan& plan) {
  std::optional<WallTime> deadline;
  for (const model::Task* task : slot.tasks) {
    if (!is_live(*task)) {
      continue;
    }
    const std::optional<WallTime> at = superseded_at(plan.view(), service, slot, *task);
    if (at && *at <= plan.now()) {
      plan.retire(*task);
    } else {
      earlier(deadline, at);
    }
  }
  return deadline;
}

// stop-first, second half: all others of the slot are gone, however long that takes.
bool is_way_clear(const state::View& view, const SlotTasks& slot, const model::Task& held) {
  if (held.predecessor.is_empty()) {
    return true;
  }
  return std::all_of(slot.tasks.begin(), slot.tasks.end(), [&](const model::Task* other) {
    const bool matters = other != &held && (!is_wanted(*other) || other->id == held.predecessor);
    return !matters || is_gone(view, *other);
  });
}

void let_go(const model::Task& held, Plan& plan) {
  model::Task& task = plan.edit(held);
  task.desired = model::TaskState::running;
  if (task.status.wait == model::WaitReason::restart_delay ||
      task.status.wait == model::WaitReason::predecessor) {
    task.status.wait = model::WaitReason::none;
    task.status.message = task.node.is_empty() ? "pending task scheduling" : "starting";
  }
}

// The delay is over but the predecessor is not gone: say what it waits for now.
void tell_predecessor(const model::Task& held, Plan& plan) {
  if (held.status.wait == model::WaitReason::restart_delay) {
    model::Task& task = plan.edit(held);
    task.status.wait = model::WaitReason::predecessor;
    task.status.message = state::wait_for_predecessor(plan.view(), held).what;
  }
}

class Handover final : public ServiceReconciler {
 public:
  Handover() : ServiceReconciler(Random(0)) {}  // makes no tasks
  const char* name() const override { return "handover"; }

 protected:
  using ServiceReconciler::concerns;

  // Something is held, something runs that was not running, or something made way.
  bool concerns(const state::View&, const state::TaskPtr& before,
                const state::TaskPtr& after) const override {
    if (!after) {
      return true;
    }
    return after->desired == model::TaskState::ready || !before ||
           before->desired != after->desired ||
           (before->status.state != after->status.state &&
            after->status.state >= model::TaskState::running);
  }

  bool concerns(const state::NodePtr& before, const state::NodePtr& after) const override {
    return !after || !before || before->status.state != after->status.state;
  }

  bool concerns(const state::ServicePtr& before, const state::ServicePtr& after) const override {
    return before && after &&
           (before->revision != after->revision || before->rollout != after->rollout ||
            before->settings != after->settings);
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    std::optional<WallTime> deadline;
    for (const SlotTasks& slot : slots_of(plan.view(), service.id)) {
      if (plan.is_full()) {
        break;
      }
      earlier(deadline, retire_superseded(service, slot, plan));
      for (const model::Task* task : slot.tasks) {
        if (task->desired != model::TaskState::ready || !is_live(*task)) {
          continue;
        }
        if (task->not_before > plan.now()) {
          earlier(deadline, task->not_before);
        } else if (is_way_clear(plan.view(), slot, *task)) {
          // Superseded in this very plan: stays so.
          if (plan.edit(*task).desired == model::TaskState::ready) {
            let_go(*task, plan);
          }
        } else {
          tell_predecessor(*task, plan);
        }
      }
    }
    return deadline;
  }
};

}  // namespace

std::unique_ptr<state::Reconciler> make_handover() {
  return std::make_unique<Handover>();
}

}  // namespace swarm::orchestrator
