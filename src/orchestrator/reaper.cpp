#include <algorithm>
#include <set>

#include "orchestrator/orchestrators.h"
#include "orchestrator/rollout_watch.h"
#include "orchestrator/service_reconciler.h"

namespace swarm::orchestrator {
namespace {

// Will not run again and holds nothing on a node.
bool is_finished(const model::Task& task) {
  return !is_wanted(task) && (model::is_terminal(task.status.state) || task.node.is_empty());
}

// Deletes task records: those to be removed once they have stopped, and per slot the oldest
// finished ones past the cluster's limit. Always kept: the last record of a slot nothing else is in
// (it says why the slot is empty), and failures a rollout has not counted yet. Prunes revisions
// nothing names, past kRevisionHistory.
class Reaper final : public ServiceReconciler {
 public:
  Reaper() : ServiceReconciler(Random(0)) {}  // makes no tasks
  const char* name() const override { return "reaper"; }

 protected:
  using ServiceReconciler::concerns;

  bool concerns(const state::View&, const state::TaskPtr&,
                const state::TaskPtr& after) const override {
    return !after || is_finished(*after);
  }

  bool concerns_all(const state::ClusterPtr& before,
                    const state::ClusterPtr& after) const override {
    return !before || !after || before->task_history_limit != after->task_history_limit;
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    for (const SlotTasks& slot : slots_of(plan.view(), service.id)) {
      if (plan.is_full()) {
        return std::nullopt;
      }
      plan_slot(service, slot, plan);
    }
    if (!service.is_removed) {
      prune_revisions(service, plan);
    }
    return std::nullopt;
  }

  void plan_without_service(const model::ServiceId& id, Plan& plan) override {
    for (const auto& [task_id, task] : plan.view().tasks_of(id)) {
      if (plan.is_full()) {
        return;
      }
      plan.erase(task_id);
    }
  }

 private:
  static void plan_slot(const model::Service& service, const SlotTasks& slot, Plan& plan) {
    const model::Task* kept = slot.has_wanted() ? nullptr : slot.newest();
    std::vector<const model::Task*> history;  // oldest first
    for (const model::Task* task : slot.tasks) {
      if (!is_finished(*task)) {
        continue;
      }
      if (task->desired == model::TaskState::remove) {
        plan.erase(task->id);
      } else if (task != kept) {
        history.push_back(task);
      }
    }
    const size_t limit = plan.view().cluster() ? plan.view().cluster()->task_history_limit
                                               : model::Cluster{}.task_history_limit;
    const size_t surplus = history.size() > limit ? history.size() - limit : 0;
    for (size_t i = 0; i < surplus && !plan.is_full(); ++i) {
      if (!is_uncounted_failure(plan.view(), service, *history[i])) {
        plan.erase(history[i]->id);
      }
    }
  }

  static void prune_revisions(const model::Service& service, Plan& plan) {
    const auto revisions = plan.view().revisions_of(service.id);
    if (revisions.size() <= model::kRevisionHistory) {
      return;
    }
    const std::set<model::RevisionNumber> used = state::revisions_in_use(plan.view(), service);
    std::vector<model::RevisionNumber> unused;
    for (const auto& [number, revision] : revisions) {
      if (!used.contains(number)) {
        unused.push_back(number);
      }
    }
    for (size_t i = 0; i + model::kRevisionHistory < unused.size() && !plan.is_full(); ++i) {
      plan.erase(state::RevisionKey{service.id, unused[i]});
    }
  }
};

}  // namespace

std::unique_ptr<state::Reconciler> make_reaper() {
  return std::make_unique<Reaper>();
}

}  // namespace swarm::orchestrator
