#pragma once

#include <map>
#include <vector>

#include "base/random.h"
#include "state/reconciler.h"

namespace swarm::orchestrator {

// A transaction in the making. Drafts are kept by id, so that an object that is changed twice
// occurs once in the change set. Lives for one decide().
class Plan {
 public:
  Plan(const state::View& view, WallTime now, Random& random)
      : view_(view), now_(now), random_(random) {}

  const state::View& view() const { return view_; }
  WallTime now() const { return now_; }

  // No room for another slot's worth of changes. What is not planned then is planned next time.
  bool is_full() const;
  size_t size() const { return tasks_.size() + services_.size() + removals_.size(); }

  // The draft of a stored object. Valid as long as the plan.
  model::Task& edit(const model::Task& task);
  model::Service& edit(const model::Service& service);

  // Tells a task to stop; no more than that if it is told already.
  void retire(const model::Task& task);
  // Tells a task to stop and then to be forgotten.
  void discard(const model::Task& task);
  // Gives the task its id.
  model::Task& create(model::Task task);

  void erase(const model::TaskId& task) { removals_.emplace_back(task); }
  void erase(const model::ServiceId& service) { removals_.emplace_back(service); }
  void erase(const state::RevisionKey& revision) { removals_.emplace_back(revision); }

  // Drafts that ended as they began are no changes. Leaves the plan empty.
  state::ChangeSet take();

 private:
  const state::View& view_;
  WallTime now_;
  Random& random_;
  std::map<model::TaskId, model::Task> tasks_;
  std::map<model::ServiceId, model::Service> services_;
  std::vector<state::ChangeSet::Key> removals_;
};

}  // namespace swarm::orchestrator
