#include "control/recovery.h"

#include <utility>

#include "model/cluster.h"

namespace swarm::control {

using model::Role;

Result<state::ChangeSet> recover_swarm(Context context, model::Node self) {
  const state::View& view = context.view;
  if (view.cluster() == nullptr) {
    return absl::FailedPreconditionError("there is no swarm to recover: its state is empty");
  }
  model::Cluster cluster = *view.cluster();
  ++cluster.recoveries;
  state::ChangeSet changes;
  for (const auto& [id, stored] : view.nodes()) {
    const bool was_manager = stored->manager.has_value() || stored->spec.role == Role::manager;
    if (id == self.id || !was_manager) {
      continue;
    }
    model::Node lost = *stored;
    if (lost.manager) {
      cluster.removed_members.insert(lost.manager->member);
      lost.manager.reset();
    }
    lost.spec.role = Role::worker;
    changes.put(std::move(lost));
  }
  model::Node alone = self;
  if (const state::NodePtr stored = view.node(self.id)) {
    alone = *stored;
    alone.manager = self.manager;
  } else {
    alone.meta = {};
  }
  alone.role = Role::manager;
  alone.spec.role = Role::manager;
  changes.put(std::move(alone));
  changes.put(std::move(cluster));
  return changes;
}

}  // namespace swarm::control
