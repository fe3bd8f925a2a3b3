#include "orchestrator/rollout_watch.h"

#include <algorithm>

namespace swarm::orchestrator {

using model::TaskState;

bool belongs_to_rollout(const model::Service& service, const model::Task& task) {
  return service.rollout && task.is_rollout && task.revision == service.rollout->to &&
         task.meta.created_at >= service.rollout->started_at;
}

bool is_unproven(const model::Service& service, const model::Task& task, bool has_converged,
                 WallTime now) {
  if (task.revision != service.rollout->to || belongs_to_rollout(service, task)) {
    return false;
  }
  const bool was_there = task.meta.created_at < service.rollout->started_at;
  const bool is_doubtful =
      has_converged ? was_there && task.restarts > 0 : was_there || task.restarts > 0;
  const bool has_run = is_running(task) && ran_since(task) + policy_of(service).monitor <= now;
  return is_doubtful && !has_run;
}

bool is_trial_open(const model::Service& service) {
  return is_rollout_open(service) && !is_set(service.rollout->trial_passed_at);
}

bool is_on_trial(const model::Service& service, const model::Task& task) {
  return is_trial_open(service) && task.revision == service.rollout->to;
}

WallTime ran_since(const model::Task& task) {
  if (!is_set(task.status.running_since)) {
    return {};
  }
  return std::max(task.meta.created_at, std::min(task.status.running_since, task.meta.updated_at));
}

bool is_rollout_failure(const state::View& view, const model::Service& service,
                        const model::Task& task) {
  if (!belongs_to_rollout(service, task) || task.desired == TaskState::remove ||
      task.status.is_external_stop) {
    return false;
  }
  const TaskState state = task.status.state;
  if (state == TaskState::complete) {
    if (view.template_of(task).restart->condition != model::RestartCondition::any) {
      return false;
    }
  } else if (state != TaskState::failed && state != TaskState::rejected) {
    return false;
  }
  // Both instants are of the node's clock.
  return !is_set(task.status.running_since) ||
         task.status.at - task.status.running_since <= policy_of(service).monitor;
}

bool is_uncounted_failure(const state::View& view, const model::Service& service,
                          const model::Task& task) {
  return is_rollout_moving(service) && !service.rollout->failed_slots.contains(task.slot) &&
         is_rollout_failure(view, service, task);
}

bool awaits_ports(const model::Task& task) {
  return is_running(task) && task.status.wait == model::WaitReason::health;
}

std::optional<WallTime> progress_deadline(const model::Service& service, const model::Task& task) {
  const Duration limit = policy_of(service).progress_deadline;
  if (limit <= Duration{0}) {
    return std::nullopt;
  }
  return belongs_to_rollout(service, task) ? task.meta.created_at + limit
                                           : service.rollout->started_at + limit;
}

}  // namespace swarm::orchestrator
