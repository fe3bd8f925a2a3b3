#include <algorithm>

#include "orchestrator/orchestrators.h"
#include "orchestrator/service_reconciler.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {
namespace {

// The task that serves the slot from now on: one that runs, at the service's revision if there is
// one, else the newest.
const model::Task* server_of(const model::Service& service, const SlotTasks& slot) {
  const model::Task* best = nullptr;
  for (const model::Task* task : slot.tasks) {
    if (!is_running(*task)) {
      continue;
    }
    // Oldest first, so of two equals the later one wins.
    if (!best || task->revision == service.revision || best->revision != service.revision) {
      best = task;
    }
  }
  return best;
}

// start-first, second half: whoever has a running successor stops.
void retire_superseded(const model::Service& service, const SlotTasks& slot, Plan& plan) {
  const model::Task* server = server_of(service, slot);
  if (!server) {
    return;
  }
  for (const model::Task* task : slot.tasks) {
    if (task == server || !is_live(*task)) {
      continue;
    }
    const bool is_outdated =
        task->revision != service.revision && server->revision == service.revision;
    // After a rollback that came before anything ran, the older task may be the one that stays.
    const bool is_to_take_over =
        task->revision == service.revision && server->revision != service.revision;
    if (is_outdated || (is_older(*task, *server) && !is_to_take_over)) {
      plan.retire(*task);
    }
  }
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
    task.status.message = "waiting for task " + held.predecessor.value() + " to stop";
  }
}

void earlier(std::optional<WallTime>& deadline, WallTime candidate) {
  if (!deadline || candidate < *deadline) {
    deadline = candidate;
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
    return before && after && before->revision != after->revision;
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    std::optional<WallTime> deadline;
    for (const SlotTasks& slot : slots_of(plan.view(), service.id)) {
      if (plan.is_full()) {
        break;
      }
      retire_superseded(service, slot, plan);
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
