#include <algorithm>
#include <map>

#include "orchestrator/orchestrators.h"
#include "orchestrator/rollout_watch.h"
#include "orchestrator/service_reconciler.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {
namespace {

const SlotTasks* find_slot(const std::vector<SlotTasks>& slots, model::Slot number) {
  const auto found =
      std::lower_bound(slots.begin(), slots.end(), number,
                       [](const SlotTasks& slot, model::Slot n) { return slot.number < n; });
  return found != slots.end() && found->number == number ? &*found : nullptr;
}

// A revision that may still turn out to be bad gets no slot that its rollout did not give it: until
// its trial is passed, and while it stands still, new slots are at the revision that converged
// last.
model::RevisionNumber revision_of_new_slot(const state::View& view, const model::Service& service) {
  const bool is_trusted =
      !is_rollout_open(service) || (is_rollout_moving(service) && !is_trial_open(service));
  const model::RevisionNumber converged = is_trusted ? 0 : state::last_converged(view, service);
  return converged == 0 ? service.revision : converged;
}

// Fills the lowest free numbers.
void create_missing(const model::Service& service, const std::vector<SlotTasks>& slots,
                    size_t missing, Plan& plan) {
  const model::RevisionNumber revision = revision_of_new_slot(plan.view(), service);
  for (model::Slot number = 1; missing > 0 && !plan.is_full(); ++number) {
    const SlotTasks* slot = find_slot(slots, number);
    if (slot && is_occupied(plan.view(), *slot)) {
      continue;
    }
    model::Task task = make_task(service, number, revision, plan.now());
    if (slot) {
      // Its last tasks may still be stopping.
      hold_behind(plan.view(), service, *slot, task);
    }
    plan.create(std::move(task));
    --missing;
  }
}

// The slots to give up, by the rule of SwarmKit: go through them, running ones first, then by
// number, and give each its index among those of its node; those with the highest indices go, which
// empties the most crowded nodes first. Slots without exactly one task on a node go before all
// others.
std::vector<const SlotTasks*> surplus(std::vector<const SlotTasks*> occupied, size_t keep) {
  const auto has_running = [](const SlotTasks& slot) {
    return std::any_of(slot.tasks.begin(), slot.tasks.end(),
                       [](const model::Task* task) { return is_running(*task); });
  };
  std::stable_partition(occupied.begin(), occupied.end(),
                        [&](const SlotTasks* slot) { return has_running(*slot); });
  constexpr size_t kLast = SIZE_MAX;
  std::map<model::NodeId, size_t> copies;
  std::vector<std::pair<size_t, const SlotTasks*>> ranked;
  for (const SlotTasks* slot : occupied) {
    std::vector<const model::Task*> wanted;
    std::copy_if(slot->tasks.begin(), slot->tasks.end(), std::back_inserter(wanted),
                 [](const model::Task* task) { return is_wanted(*task); });
    const bool is_single = wanted.size() == 1 && !wanted.front()->node.is_empty();
    ranked.emplace_back(is_single ? copies[wanted.front()->node]++ : kLast, slot);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // From the end: what is left if they do not fit one transaction ranks as before.
  std::vector<const SlotTasks*> gone;
  for (size_t i = ranked.size(); i > keep; --i) {
    gone.push_back(ranked[i - 1].second);
  }
  return gone;
}

void discard_all(const SlotTasks& slot, Plan& plan) {
  for (const model::Task* task : slot.tasks) {
    plan.discard(*task);
  }
}

// Empties a removed service; its record goes after its last task.
void plan_removed(const model::Service& service, const std::vector<SlotTasks>& slots, Plan& plan) {
  for (const SlotTasks& slot : slots) {
    if (plan.is_full()) {
      return;
    }
    discard_all(slot, plan);
  }
  if (slots.empty()) {
    for (const auto& [number, revision] : plan.view().revisions_of(service.id)) {
      plan.erase(state::RevisionKey{service.id, number});
    }
    plan.erase(service.id);
  }
}

class Replicated final : public ServiceReconciler {
 public:
  using ServiceReconciler::ServiceReconciler;
  const char* name() const override { return "replicated"; }

 protected:
  using ServiceReconciler::concerns;

  bool concerns(const state::View&, const state::TaskPtr& before,
                const state::TaskPtr& after) const override {
    return !before || !after || before->desired != after->desired ||
           model::is_terminal(before->status.state) != model::is_terminal(after->status.state);
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    const std::vector<SlotTasks> slots = slots_of(plan.view(), service.id);
    if (service.is_removed) {
      plan_removed(service, slots, plan);
      return std::nullopt;
    }
    std::vector<const SlotTasks*> occupied;
    for (const SlotTasks& slot : slots) {
      if (is_occupied(plan.view(), slot)) {
        occupied.push_back(&slot);
      }
    }
    if (occupied.size() < service.settings.replicas) {
      create_missing(service, slots, service.settings.replicas - occupied.size(), plan);
    } else if (occupied.size() > service.settings.replicas) {
      for (const SlotTasks* slot : surplus(std::move(occupied), service.settings.replicas)) {
        if (plan.is_full()) {
          break;
        }
        discard_all(*slot, plan);
      }
    }
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<state::Reconciler> make_replicated(Random random) {
  return std::make_unique<Replicated>(random);
}

}  // namespace swarm::orchestrator
