#include <algorithm>

#include "orchestrator/orchestrators.h"
#include "orchestrator/service_reconciler.h"
#include "orchestrator/slots.h"
#include "orchestrator/takeover.h"

namespace swarm::orchestrator {
namespace {

bool needs_note(const model::Service& service) {
  return !service.is_removed && !is_rollout_open(service) &&
         (service.converged.empty() || service.converged.back() != service.revision);
}

// Notes that a revision has converged when all slots are good at it and no rollout is open: that of
// a new service, and one that a completed rollout left with failed slots. A rollout that completes
// with all slots running notes it itself.
class Converged final : public ServiceReconciler {
 public:
  Converged() : ServiceReconciler(Random(0)) {}  // makes no tasks
  const char* name() const override { return "converged"; }

 protected:
  using ServiceReconciler::concerns;

  bool concerns(const state::View& view, const state::TaskPtr& before,
                const state::TaskPtr& after) const override {
    const state::ServicePtr service = view.service(after ? after->service : before->service);
    return service && needs_note(*service) &&
           (!before || !after || before->status.state != after->status.state ||
            before->status.wait != after->status.wait);
  }

  bool concerns(const state::ServicePtr&, const state::ServicePtr& after) const override {
    return after && needs_note(*after);
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    if (!needs_note(service)) {
      return std::nullopt;
    }
    // Counted before anything is sorted: while a large service starts this is asked again and
    // again.
    const auto& tasks = plan.view().tasks_of(service.id);
    const auto current = std::count_if(tasks.begin(), tasks.end(), [&](const auto& entry) {
      return entry.second->revision == service.revision &&
             (is_working(*entry.second) || !is_live(*entry.second));
    });
    if (static_cast<uint64_t>(current) < service.settings.replicas) {
      return std::nullopt;
    }
    return note_if_good(service, plan);
  }

 private:
  static std::optional<WallTime> note_if_good(const model::Service& service, Plan& plan) {
    uint64_t good = 0;
    WallTime last_good;
    for (const SlotTasks& slot : slots_of(plan.view(), service.id)) {
      const model::Task* newest = slot.newest();
      if (!newest || newest->revision != service.revision || !is_occupied(plan.view(), slot)) {
        continue;
      }
      if (is_working(*newest)) {
        last_good = std::max(last_good, is_proven_at(plan.view(), service, *newest));
        ++good;
      } else if (newest->status.state == model::TaskState::complete &&
                 is_settled(plan.view(), slot)) {
        ++good;
      }
    }
    if (good < service.settings.replicas) {
      return std::nullopt;
    }
    if (last_good > plan.now()) {
      return last_good;
    }
    note_converged(plan.edit(service), service.revision);
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<state::Reconciler> make_converged() {
  return std::make_unique<Converged>();
}

}  // namespace swarm::orchestrator
