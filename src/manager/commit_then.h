#pragma once

#include <utility>

#include "base/result.h"
#include "manager/manager.h"

// How the gateway of a manager answers calls that write. On the control loop.
namespace swarm::manager {

inline Status no_leader() {
  return absl::UnavailableError("this manager does not lead the swarm: try again");
}

// Runs `then` with the outcome once what it was computed from is committed.
template <class Then>
void reply_when_committed(Manager& manager, model::Position position, Status outcome, Then then) {
  manager.gate().when_committed(
      position, [outcome = std::move(outcome), then = std::move(then)](Status gate) mutable {
        then(gate.ok() ? std::move(outcome) : std::move(gate));
      });
}

// Commits and runs `then` when that is committed; errors, too, wait for the head they were computed
// from. Of a leader.
template <class Then>
void commit_then(Manager& manager, Result<state::ChangeSet> changes, Then then) {
  Status outcome = changes.status();
  model::Position position = manager.store().head();
  if (changes.ok()) {
    const Result<model::Position> committed =
        manager.store().commit(*std::move(changes), manager.loop().wall_now());
    outcome = committed.status();
    position = committed.ok() ? *committed : position;
  }
  reply_when_committed(manager, position, std::move(outcome), std::move(then));
}

}  // namespace swarm::manager
