#include "orchestrator/restart_policy.h"

#include <algorithm>

namespace swarm::orchestrator {
namespace {

// Attempts made in the window that the end of the task falls into.
uint32_t attempts_in_window(const model::RestartPolicy& policy, const model::Task& ended) {
  const bool is_over = policy.window > Duration{0} && is_set(ended.window_started_at) &&
                       ended.status.at - ended.window_started_at > policy.window;
  return is_over ? 0 : ended.window_restarts;
}

bool ran_stably(const model::Task& ended, Duration monitor) {
  return is_set(ended.status.running_since) &&
         ended.status.at - ended.status.running_since >= std::max(kStableRun, monitor);
}

Duration back_off(const model::RestartPolicy& policy, uint32_t restarts) {
  const Duration cap = std::max(model::kMaxRestartDelay, policy.delay);
  Duration delay = policy.delay;
  for (uint32_t i = 0; i < restarts && delay > Duration{0} && delay < cap; ++i) {
    delay = std::min(cap, delay * 2);
  }
  return delay;
}

}  // namespace

bool may_restart(const model::RestartPolicy& policy, const model::Task& ended) {
  switch (policy.condition) {
    case model::RestartCondition::none:
      return false;
    case model::RestartCondition::on_failure:
      if (ended.status.state == model::TaskState::complete) {
        return false;
      }
      break;
    case model::RestartCondition::any:
      break;
  }
  return policy.max_attempts == 0 || ended.status.is_external_stop ||
         attempts_in_window(policy, ended) < policy.max_attempts;
}

Attempt next_attempt(const model::RestartPolicy& policy, const model::Task& ended,
                     Duration monitor) {
  const uint32_t in_a_row = ran_stably(ended, monitor) ? 0 : ended.restarts;
  const uint32_t in_window = attempts_in_window(policy, ended);
  Attempt attempt;
  if (ended.status.is_external_stop) {
    // No fault of the task: it is no attempt, and the delay does not grow by it.
    attempt.delay = policy.delay;
    attempt.restarts = ended.restarts;
    attempt.window_restarts = ended.window_restarts;
    attempt.window_started_at = ended.window_started_at;
    return attempt;
  }
  attempt.delay = back_off(policy, in_a_row);
  attempt.restarts = in_a_row + 1;
  attempt.window_restarts = in_window + 1;
  attempt.window_started_at = in_window == 0 ? ended.status.at : ended.window_started_at;
  return attempt;
}

}  // namespace swarm::orchestrator
