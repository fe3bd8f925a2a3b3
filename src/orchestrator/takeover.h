#pragma once

#include <optional>

#include "state/view.h"

// When a task of a slot may take the place of another: the one rule for every start-first
// hand-over, of rollouts, restarts and drains alike.
namespace swarm::orchestrator {

// The task says itself that it works, before it counts as running: it has a health check or serves
// a published TCP port. Of any other, running means only that it was started.
bool proves_itself(const model::TaskTemplate& task);

// When a running task counts as good: at once if it proves itself, else when it has run for the
// policy's min ready.
WallTime is_good_at(const state::View& view, const model::Service& service,
                    const model::Task& task);
// When it has run long enough for its revision to count as converged: no longer than the monitor
// window, after which the client that made the service believes it, too.
WallTime is_proven_at(const state::View& view, const model::Service& service,
                      const model::Task& task);

// When `successor`, which runs, may take over from `old`, which runs too. Within the trial of a
// rollout that is when it has run for the whole monitor window; nothing while a rollout that failed
// its trial stands still.
std::optional<WallTime> takes_over_at(const state::View& view, const model::Service& service,
                                      const model::Task& successor, const model::Task& old);

}  // namespace swarm::orchestrator
