#pragma once

#include "model/service.h"
#include "model/task.h"

// When a task that ended is replaced, and how long that waits.
namespace swarm::orchestrator {

// A task that ran this long, and longer than the monitor window, starts its back-off anew.
inline constexpr Duration kStableRun = seconds(10);

// What the policy says about a task that has ended. A function of the task alone, so that the
// answer is the same whenever it is asked. The end counts as an attempt of its window when it falls
// within it.
bool may_restart(const model::RestartPolicy& policy, const model::Task& ended);

// The counters the replacement carries, and how long it is held.
struct Attempt {
  Duration delay{};
  uint32_t restarts = 0;
  uint32_t window_restarts = 0;
  WallTime window_started_at;
};
// `monitor`: of the update policy. The delay doubles with every restart in a row up to
// kMaxRestartDelay (or to the policy's own delay, if that is longer).
Attempt next_attempt(const model::RestartPolicy& policy, const model::Task& ended,
                     Duration monitor);

}  // namespace swarm::orchestrator
