#pragma once

#include <memory>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "dispatcher/dispatcher.h"
#include "manager/reconcile_loop.h"
#include "manager/role_manager.h"
#include "state/output_gate.h"
#include "state/store.h"

namespace swarm::manager {

// Everything that lives with a leadership, built in order and destroyed in reverse: winning is one
// construction, losing one destruction. On the control loop.
class LeaderTerm {
 public:
  LeaderTerm(EventLoop& loop, state::Store& store, state::OutputGate& gate,
             const model::NodeId& self, RoleManager::Membership membership, Random random,
             dispatcher::MeshProbe probe);

  // `former`: who led before, as far as this member knows; empty for nobody. Leaderships end with
  // their machines, and that machine's node is still stored as ready: it must not be given the
  // tasks that its loss sets free.
  void start(model::MemberId former);
  // The store has changed.
  void observe(const std::vector<state::Change>& changes);

  dispatcher::Dispatcher& dispatcher() { return *dispatcher_; }

 private:
  void announce_managers();

  state::Store& store_;
  const model::NodeId self_;
  std::unique_ptr<dispatcher::Dispatcher> dispatcher_;
  RoleManager roles_;
  ReconcileLoop reconcile_;
};

}  // namespace swarm::manager
