#include "cli/convergence.h"

#include <utility>

#include "base/units.h"
#include "cli/exit_code.h"

namespace swarm::cli {

namespace {

using model::Rollout;
using model::RolloutState;
using model::Service;

// A task that ended is replaced in the same transaction, but a slot may change hands between two
// looks: only what stays ended has.
constexpr Duration kStaysEnded = seconds(1);

Duration monitor_of(const Service& service, bool is_rollback) {
  return is_rollback ? service.settings.rollback->monitor : service.settings.update->monitor;
}

std::string with_message(std::string_view what, const Rollout& rollout) {
  return std::string(what) + (rollout.message.empty() ? "" : ": " + rollout.message);
}

std::string command(std::string_view words, const Service& service) {
  return "`swarmctl service " + std::string(words) + " " + service.settings.name + "`";
}

std::string ways_out_of_pause(const Service& service) {
  return "Next: " + command("ps", service) + " shows its tasks, " + command("update", service) +
         " tries again, " + command("rollback", service) + " goes back.";
}

std::string where_to_look(const Service& service) {
  return "Next: " + command("ps --no-trunc", service) + " shows the tasks that failed.";
}

Convergence::Outcome converged(const Service& service) {
  return {exit_code::kOk, "verify: Service " + service.settings.name + " converged", {}};
}

Convergence::Outcome paused(const Service& service, const Rollout& rollout) {
  const bool is_rollback = rollout.state == RolloutState::rollback_paused;
  return {exit_code::kPaused,
          with_message(is_rollback ? "service rollback paused" : "service update paused", rollout),
          ways_out_of_pause(service)};
}

std::string running_of_total(const Progress& progress) {
  return std::to_string(progress.running) + " out of " + std::to_string(progress.total) +
         " tasks are running";
}

// The first slot that does not run, with its reason.
std::string first_reason(const Progress& progress) {
  for (const SlotProgress& slot : progress.slots) {
    if (slot.has_reason()) {
      return ": slot " + std::to_string(slot.slot) + ": " + slot.text(true);
    }
  }
  return progress.closed_port.empty() ? "" : ": " + progress.closed_port;
}

}  // namespace

Convergence::Step Convergence::observe(const Service& service, const Progress& progress,
                                       TimePoint now) {
  Step step;
  const bool is_first = std::exchange(is_first_, false);
  if (is_first) {
    started_at_ = now;
  }
  if (service.is_removed) {
    step.outcome = {exit_code::kError, "service " + service.settings.name + " was removed", {}};
    return step;
  }
  step.outcome = superseded(service);
  if (step.outcome) {
    return step;
  }
  // Any update resumes a rollout that stood still: one that does so now has paused after it.
  has_joined_rollout_ |= service.rollout && !is_final(service.rollout->state);
  const Rollout* rollout = own_rollout(service);
  if (rollout != nullptr) {
    step.outcome = end_of_rollout(*rollout, service, progress, now);
    if (step.outcome) {
      return step;
    }
    if (rollout->state == RolloutState::rollback_started && rollout->is_automatic &&
        !std::exchange(has_told_rollback_, true)) {
      step.notice = with_message("service update failed, rolling back", *rollout);
    }
  } else if (is_first && progress.is_converged) {
    // Every change of tasks is visible in the first snapshot (replicas, revision): none was needed.
    step.outcome = converged(service);
    return step;
  }
  const bool is_rollout_active = rollout != nullptr && is_moving(rollout->state);
  if (!is_rollout_active) {
    step.outcome = dead_end(service, progress, now);
    if (step.outcome) {
      return step;
    }
  }
  verify(service, progress, is_rollout_active, now, step);
  return step;
}

std::optional<Convergence::Outcome> Convergence::superseded(const Service& service) const {
  const bool is_own = command_.revision == 0 || service.revision == command_.revision;
  const bool is_own_rollback = service.rollout && service.rollout->is_automatic &&
                               service.rollout->from == command_.revision;
  if (is_own || is_own_rollback) {
    return std::nullopt;
  }
  return Outcome{exit_code::kSuperseded,
                 "superseded: service " + service.settings.name + " is now to run revision " +
                     std::to_string(service.revision) + " instead of " +
                     std::to_string(command_.revision) + ", by another update or rollback",
                 "Next: " + command("history", service) + " shows its revisions."};
}

const Rollout* Convergence::own_rollout(const Service& service) const {
  if (!service.rollout) {
    return nullptr;
  }
  const bool follows_rollout =
      command_.what == WaitFor::update || command_.what == WaitFor::rollback;
  // What stands still is not moved by scaling: that is all there is to say, and at once.
  const bool blocks_scaling = command_.what == WaitFor::scale && is_paused(service.rollout->state);
  const bool is_new = service.rollout->started_at != command_.earlier_rollout;
  return blocks_scaling || (follows_rollout && (is_new || has_joined_rollout_)) ? &*service.rollout
                                                                                : nullptr;
}

std::optional<Convergence::Outcome> Convergence::end_of_rollout(const Rollout& rollout,
                                                                const Service& service,
                                                                const Progress& progress,
                                                                TimePoint now) {
  if (is_paused(rollout.state)) {
    Outcome outcome = paused(service, rollout);
    if (command_.what == WaitFor::scale) {
      outcome.message = "scaled, but " + outcome.message +
                        " (scaling does not resume it; new tasks are at the "
                        "revision that converged last)";
    }
    return outcome;
  }
  if (!is_final(rollout.state)) {
    return std::nullopt;
  }
  if (rollout.is_automatic) {
    return Outcome{exit_code::kRolledBack, with_message("service rolled back", rollout),
                   where_to_look(service)};
  }
  return end_of_completed(rollout, service, progress, now);
}

std::optional<Convergence::Outcome> Convergence::end_of_completed(const Rollout& rollout,
                                                                  const Service& service,
                                                                  const Progress& progress,
                                                                  TimePoint now) {
  if (progress.is_converged) {
    return converged(service);
  }
  if (!progress.closed_port.empty()) {
    return std::nullopt;
  }
  // A tolerated failure may be repaired by a restart: give it the time a failure is blamed on it.
  if (!unfinished_at_) {
    unfinished_at_ = now;
  }
  const bool is_rollback = rollout.state == RolloutState::rollback_completed;
  if (now - *unfinished_at_ < monitor_of(service, is_rollback)) {
    return std::nullopt;
  }
  if (!rollout.failed_slots.empty()) {
    return Outcome{exit_code::kOk,
                   "the rollout is completed with the failures its policy tolerates: " +
                       running_of_total(progress) + ": " + rollout.cause,
                   where_to_look(service)};
  }
  return Outcome{
      exit_code::kError,
      "the rollout is completed, but only " + running_of_total(progress) + first_reason(progress),
      where_to_look(service)};
}

std::optional<Convergence::Outcome> Convergence::dead_end(const Service& service,
                                                          const Progress& progress, TimePoint now) {
  const bool has_ended = progress.ended > 0 && progress.running + progress.ended == progress.total;
  if (!has_ended) {
    ended_at_.reset();
  } else if (!ended_at_) {
    ended_at_ = now;
  }
  const bool stays_ended = ended_at_ && now - *ended_at_ >= kStaysEnded;
  if (!progress.refusal.empty() || (stays_ended && !progress.failure.empty())) {
    return Outcome{exit_code::kError,
                   "nothing will change by waiting: " +
                       (progress.refusal.empty() ? progress.failure : progress.refusal),
                   where_to_look(service)};
  }
  if (stays_ended && progress.ended == progress.total) {
    return Outcome{exit_code::kOk,
                   "verify: all " + std::to_string(progress.total) + " tasks of service " +
                       service.settings.name + " have finished",
                   {}};
  }
  const Duration deadline = service.settings.update->progress_deadline;
  if (!progress.is_converged && deadline > Duration{} && now - started_at_ >= deadline) {
    return Outcome{exit_code::kError,
                   "not converged within the progress deadline of " + format_duration(deadline) +
                       ": " + running_of_total(progress) + first_reason(progress),
                   where_to_look(service)};
  }
  return std::nullopt;
}

void Convergence::verify(const Service& service, const Progress& progress, bool is_rollout_active,
                         TimePoint now, Step& step) {
  if (!progress.is_converged) {
    if (stable_at_) {
      stable_at_.reset();
      step.notice = "verify: " +
                    (progress.closed_port.empty() ? "Detected task failure" : progress.closed_port);
    }
    return;
  }
  if (!stable_at_) {
    const bool is_rollback = command_.what == WaitFor::rollback || progress.is_rolling_back;
    stable_at_ = now + monitor_of(service, is_rollback);
  }
  if (now >= *stable_at_ && !is_rollout_active) {
    step.outcome = converged(service);
    return;
  }
  step.verify_left = *stable_at_ - now;
}

}  // namespace swarm::cli
