#pragma once

#include <optional>
#include <string>

#include "orchestrator/slots.h"

// What counts for and against a rollout. Everything is read from stored tasks.
namespace swarm::orchestrator {

// Made by the service's present rollout (or in place of such a task that a lost node took along).
bool belongs_to_rollout(const model::Service& service, const model::Task& task);

// It is at the rollout's revision without being made by the rollout, and has not shown that this
// works: it was there before (a rollout is resumed, or goes back to a revision that failed), or
// restarts one that was, and has not run for the monitor window. At a revision that `has_converged`
// only one that kept failing before the rollout is in doubt.
bool is_unproven(const model::Service& service, const model::Task& task, bool has_converged,
                 WallTime now);

// The rollout's first slots have not run for the monitor window yet, so its revision may still turn
// out to be bad everywhere.
bool is_trial_open(const model::Service& service);
// It is at the revision that is on trial.
bool is_on_trial(const model::Service& service, const model::Task& task);

// When the task began to run, in the manager's time as far as can be known: what its node says, but
// not before it was made nor after it was last heard of. Not set: never ran.
WallTime ran_since(const model::Task& task);

// It ended before it ran, or within the monitor window after. A task that completes as its restart
// policy allows has not failed, nor has one that somebody else stopped: its successor is judged.
bool is_rollout_failure(const state::View& view, const model::Service& service,
                        const model::Task& task);
// The same, and its slot is not in the books yet: the record is still needed.
bool is_uncounted_failure(const state::View& view, const model::Service& service,
                          const model::Task& task);

// It was taken over and runs, but is not served at a target port that this added.
bool awaits_ports(const model::Task& task);

// When the task counts as failed if it does not run by then: counted from when it was made, and for
// one that is not of the rollout, from the rollout's start. Nothing without a deadline.
std::optional<WallTime> progress_deadline(const model::Service& service, const model::Task& task);

}  // namespace swarm::orchestrator
