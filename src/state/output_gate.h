#pragma once

#include <deque>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "model/ids.h"

namespace swarm::state {

// Holds back what the leader tells anybody until the transactions it was computed from are
// committed, so that nobody ever acts on a state that a leader change may undo. On the loop of the
// store.
class OutputGate {
 public:
  using Output = absl::AnyInvocable<void(Status)>;

  // Runs `output` with OK once `position` is committed, at once if it is. Outputs run in the order
  // of this call. While the gate is closed it runs at once with the reason: positions of a
  // leadership that is over mean nothing to the next one.
  void when_committed(model::Position position, Output output);
  // Releases everything up to `position`. Nothing while the gate is closed.
  void advance(model::Position position);
  // Leadership is lost: everything held runs with `reason` (UNAVAILABLE: the caller may try again).
  void close(const Status& reason);
  // Leadership is won: `position` is committed.
  void open(model::Position position);

  size_t held() const { return held_.size(); }

 private:
  struct Held {
    model::Position position;
    Output output;
  };
  std::deque<Held> held_;
  model::Position committed_ = 0;
  Status closed_;  // why; OK while open
};

}  // namespace swarm::state
