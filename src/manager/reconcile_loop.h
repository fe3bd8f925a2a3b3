#pragma once

#include <memory>
#include <vector>

#include "base/event_loop.h"
#include "state/reconciler.h"
#include "state/store.h"

namespace swarm::manager {

// Drives the deciders of a leader: the only place that waits. After every transaction and whenever
// a stored deadline passes, each reconciler is asked what to do, and what it answers is committed,
// until nobody has anything to add. One round is one callback, so that the loop stays free for
// others.
//
// On the control loop; lives with a leadership.
class ReconcileLoop {
 public:
  ReconcileLoop(EventLoop& loop, state::Store& store,
                std::vector<std::unique_ptr<state::Reconciler>> reconcilers);

  // Loads every reconciler and runs the first round.
  void start();

  // The store has changed. Never commits from here.
  void observe(const std::vector<state::Change>& changes);

 private:
  void schedule();
  void run_round();
  // True when the reconciler changed something or has more to do.
  bool run_one(state::Reconciler& reconciler, WallTime now);
  void wait_for_deadline();

  EventLoop& loop_;
  state::Store& store_;
  std::vector<std::unique_ptr<state::Reconciler>> reconcilers_;
  bool is_scheduled_ = false;
  Timer deadline_;
  Timer retry_;
  Anchor anchor_;
};

}  // namespace swarm::manager
