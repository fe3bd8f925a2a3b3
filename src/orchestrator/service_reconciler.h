#pragma once

#include <map>
#include <set>

#include "orchestrator/plan.h"

namespace swarm::orchestrator {

// What the orchestrators that work service by service have in common: the set of dirty services and
// the earliest deadline of each. A subclass says which changes concern it and plans one service.
class ServiceReconciler : public state::Reconciler {
 public:
  explicit ServiceReconciler(Random random) : random_(random) {}

  void load(const state::View& view, WallTime now) final;
  void observe(const state::View& view, const std::vector<state::Change>& changes) final;
  state::ChangeSet decide(const state::View& view, WallTime now) final;
  bool has_more() const final { return !dirty_.empty(); }
  std::optional<WallTime> next_deadline(const state::View& view) const final;

 protected:
  // Either pointer may be null. Cheap: called for every change.
  virtual bool concerns(const state::View& view, const state::TaskPtr& before,
                        const state::TaskPtr& after) const = 0;
  virtual bool concerns(const state::ServicePtr& before, const state::ServicePtr& after) const;
  // A change of a node concerns the services with tasks on it.
  virtual bool concerns(const state::NodePtr& before, const state::NodePtr& after) const;
  // A change of the cluster concerns all services.
  virtual bool concerns_all(const state::ClusterPtr& before, const state::ClusterPtr& after) const;

  // Plans until all is said or the plan is full. Returns when to look again if nothing changes.
  virtual std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) = 0;
  // The service has no record (any more).
  virtual void plan_without_service(const model::ServiceId& id, Plan& plan);

 private:
  void note(const state::View& view, const state::Change& change);
  void set_deadline(const model::ServiceId& id, std::optional<WallTime> deadline);

  Random random_;
  std::set<model::ServiceId> dirty_;
  std::map<model::ServiceId, WallTime> deadline_of_;
  std::set<std::pair<WallTime, model::ServiceId>> deadlines_;
};

}  // namespace swarm::orchestrator
