#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/event_loop.h"
#include "model/agent_messages.h"
#include "state/store.h"

namespace swarm::dispatcher {

// A status that comes after a quiet time is committed soon, so that a rollout does not wait at
// every step ...
inline constexpr Duration kStatusDelay = milliseconds(5);
// ... but commits follow one another no faster than this, so that many statuses share one.
inline constexpr Duration kStatusInterval = milliseconds(100);
// Longer texts are cut: they are for a person, and stored by every manager.
inline constexpr size_t kMaxStatusText = 1024;

// Takes in what agents report about their tasks.
//
// Hard statuses (running, ended, what goes with them: error, exit code, container, wait) are
// committed, in batches, at most kStatusInterval after they came, and not shown before: who is told
// that a task runs may act on it at once, and what decides goes by what is stored. Soft ones
// (accepted to starting, and messages) are only remembered here: agents send them again to the next
// leader. Observed states never go back and an end is final: what says otherwise is late and
// ignored. So is what a node says about tasks of others. What the store refuses for the moment is
// tried again. On the control loop.
class StatusIntake {
 public:
  StatusIntake(EventLoop& loop, state::Store& store);

  void receive(const model::NodeId& node, std::vector<model::TaskReport> reports);
  // A task has changed in the store or was removed from it (`after` null).
  void observe(const model::TaskId& task, const model::Task* after);

  // Newer than what is stored; null if there is nothing newer.
  const model::TaskStatus* soft(const model::TaskId& task) const;

 private:
  void take(const model::Task& task, model::TaskStatus status);
  void schedule();
  void flush();

  EventLoop& loop_;
  state::Store& store_;
  std::map<model::TaskId, model::TaskStatus> soft_;
  std::map<model::TaskId, model::TaskStatus> pending_;  // to be committed
  std::optional<TimePoint> last_flush_;
  Timer timer_;
};

}  // namespace swarm::dispatcher
