#include "cli/convergence.h"

#include <utility>

#include "cli/exit_code.h"

namespace swarm::cli {

namespace {

using model::Rollout;
using model::RolloutState;
using model::Service;

bool is_final(RolloutState state) {
  return state == RolloutState::completed || state == RolloutState::rollback_completed;
}

bool is_moving(RolloutState state) {
  return state == RolloutState::updating || state == RolloutState::rollback_started;
}

Duration monitor_of(const Service& service, bool is_rollback) {
  return is_rollback ? service.settings.rollback->monitor : service.settings.update->monitor;
}

std::string with_message(std::string_view what, const Rollout& rollout) {
  return std::string(what) + (rollout.message.empty() ? "" : ": " + rollout.message);
}

Convergence::Outcome converged(const Service& service) {
  return {exit_code::kOk, "verify: Service " + service.id.value() + " converged"};
}

}  // namespace

Convergence::Convergence(WaitFor what, std::optional<WallTime> earlier_rollout)
    : what_(what), earlier_rollout_(earlier_rollout) {}

Convergence::Step Convergence::observe(const Service& service, const Progress& progress,
                                       TimePoint now) {
  Step step;
  const bool is_first = std::exchange(is_first_, false);
  if (service.is_removed) {
    step.outcome = {exit_code::kError, "service " + service.settings.name + " was removed"};
    return step;
  }
  const Rollout* rollout = own_rollout(service);
  if (rollout != nullptr) {
    step.outcome = end_of_rollout(*rollout, service, progress, now);
    if (step.outcome) {
      return step;
    }
    if (rollout->state == RolloutState::rollback_started && what_ != WaitFor::rollback &&
        !std::exchange(has_told_rollback_, true)) {
      step.notice = with_message("service update failed, rolling back", *rollout);
    }
  } else if (is_first && progress.is_converged) {
    // Every change of tasks is visible in the first snapshot (replicas, revision): none was needed.
    step.outcome = converged(service);
    return step;
  }
  verify(service, progress, rollout != nullptr && is_moving(rollout->state), now, step);
  return step;
}

const Rollout* Convergence::own_rollout(const Service& service) const {
  const bool follows_rollout = what_ == WaitFor::update || what_ == WaitFor::rollback;
  if (!follows_rollout || !service.rollout || service.rollout->started_at == earlier_rollout_) {
    return nullptr;
  }
  return &*service.rollout;
}

std::optional<Convergence::Outcome> Convergence::end_of_rollout(const Rollout& rollout,
                                                                const Service& service,
                                                                const Progress& progress,
                                                                TimePoint now) {
  if (rollout.state == RolloutState::paused) {
    return Outcome{exit_code::kPaused, with_message("service update paused", rollout)};
  }
  if (rollout.state == RolloutState::rollback_paused) {
    return Outcome{exit_code::kPaused, with_message("service rollback paused", rollout)};
  }
  if (!is_final(rollout.state)) {
    return std::nullopt;
  }
  if (rollout.state == RolloutState::rollback_completed && what_ != WaitFor::rollback) {
    return Outcome{exit_code::kRolledBack, with_message("service rolled back", rollout)};
  }
  if (progress.is_converged) {
    return converged(service);
  }
  // A tolerated failure may be repaired by a restart: give it the time a failure is blamed on it.
  if (!unfinished_at_) {
    unfinished_at_ = now;
  }
  const bool is_rollback = rollout.state == RolloutState::rollback_completed;
  if (now - *unfinished_at_ < monitor_of(service, is_rollback)) {
    return std::nullopt;
  }
  return Outcome{exit_code::kError, "the rollout is completed, but only " +
                                        std::to_string(progress.running) + " out of " +
                                        std::to_string(progress.total) + " tasks are running"};
}

void Convergence::verify(const Service& service, const Progress& progress, bool is_rollout_active,
                         TimePoint now, Step& step) {
  if (!progress.is_converged) {
    if (stable_at_) {
      stable_at_.reset();
      step.notice = "verify: Detected task failure";
    }
    return;
  }
  if (!stable_at_) {
    const bool is_rollback = what_ == WaitFor::rollback || progress.is_rolling_back;
    stable_at_ = now + monitor_of(service, is_rollback);
  }
  if (now >= *stable_at_ && !is_rollout_active) {
    step.outcome = converged(service);
    return;
  }
  step.verify_left = *stable_at_ - now;
}

}  // namespace swarm::cli
