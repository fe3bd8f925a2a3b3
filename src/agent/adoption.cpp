#include "agent/adoption.h"

#include "model/task.h"

namespace swarm::agent {
namespace {

using model::TaskState;
using model::TaskStatus;

bool is_stop_wanted(const model::Assignment& assignment) {
  return assignment.desired >= TaskState::shutdown;
}

void end(TaskStatus& status, TaskState state, std::string message, std::string error,
         WallTime now) {
  status.state = state;
  status.at = now;
  status.message = std::move(message);
  status.error = std::move(error);
  status.wait = model::WaitReason::none;
}

Adoption adopt_running(const model::Assignment& assignment, TaskStatus status,
                       const ExistingTask& existing, WallTime now) {
  // Observed states never go back: one that was healthy before stays RUNNING while its health is
  // found out anew.
  if (status.state < TaskState::running) {
    status.state = existing.is_healthy ? TaskState::running : TaskState::starting;
    status.at = now;
  }
  if (status.state == TaskState::running && !is_set(status.running_since)) {
    status.running_since = now;
  }
  if (is_stop_wanted(assignment) || is_terminal(status.state)) {
    return {TaskStep::draining, std::move(status)};
  }
  return {existing.is_healthy ? TaskStep::running : TaskStep::starting, std::move(status)};
}

Adoption adopt_exited(const model::Assignment& assignment, TaskStatus status,
                      const ExistingTask& existing, WallTime now) {
  if (!is_terminal(status.state)) {
    status.exit_code = existing.exit_code;
    if (is_stop_wanted(assignment)) {
      end(status, TaskState::shutdown, "shutdown", "", now);
    } else {
      end(status, state_of_exit(existing.exit_code), "ended while swarmd was away",
          error_of_exit(existing.exit_code, ""), now);
    }
  }
  return {TaskStep::ended, std::move(status)};
}

Adoption adopt_idle(const model::Assignment& assignment, TaskStatus status, bool is_created,
                    WallTime now) {
  if (is_terminal(status.state)) {
    return {TaskStep::ended, std::move(status)};
  }
  if (is_stop_wanted(assignment)) {
    end(status, TaskState::shutdown, "shutdown", "", now);
    return {TaskStep::ended, std::move(status)};
  }
  if (status.state == TaskState::running) {
    end(status, TaskState::failed, "failed", "the container was removed while swarmd was away",
        now);
    return {TaskStep::ended, std::move(status)};
  }
  return {is_created ? TaskStep::ready : TaskStep::accepted, std::move(status)};
}

}  // namespace

TaskState state_of_exit(int32_t exit_code) {
  return exit_code == 0 ? TaskState::complete : TaskState::failed;
}

std::string error_of_exit(int32_t exit_code, const std::string& detail) {
  if (exit_code == 0) {
    return detail;
  }
  std::string error = "task: non-zero exit (" + std::to_string(exit_code) + ")";
  if (!detail.empty()) {
    error += ": " + detail;
  }
  return error;
}

Adoption adopt(const model::Assignment& assignment, const TaskStatus* kept,
               const ExistingTask* existing, WallTime now) {
  TaskStatus status;
  if (kept != nullptr) {
    status = *kept;
  } else {
    status.state = TaskState::accepted;
    status.at = now;
    status.message = "accepted";
  }
  if (existing == nullptr) {
    return adopt_idle(assignment, std::move(status), false, now);
  }
  status.container_id = existing->container_id;
  switch (existing->state) {
    case ExistingTask::State::created:
      return adopt_idle(assignment, std::move(status), true, now);
    case ExistingTask::State::running:
      return adopt_running(assignment, std::move(status), *existing, now);
    case ExistingTask::State::exited:
      break;
  }
  return adopt_exited(assignment, std::move(status), *existing, now);
}

}  // namespace swarm::agent
