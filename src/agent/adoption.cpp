#include "agent/adoption.h"

#include <string_view>

#include "model/signals.h"
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
    status.is_external_stop = existing.is_external_stop && !is_stop_wanted(assignment);
    if (is_stop_wanted(assignment)) {
      end(status, TaskState::shutdown, "shutdown", "", now);
    } else {
      const Exit exit{existing.exit_code, existing.error, existing.is_external_stop};
      end(status, state_of_exit(exit), "ended while swarmd was away", error_of_exit(exit), now);
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

// Engines and shells report a death by signal as 128 + its number.
std::string_view signal_of_exit(int32_t code) {
  constexpr int32_t kSignalBase = 128;
  return model::signal_name(code - kSignalBase);
}

}  // namespace

TaskState state_of_exit(const Exit& exit) {
  return exit.code == 0 && !exit.is_external_stop ? TaskState::complete : TaskState::failed;
}

std::string error_of_exit(const Exit& exit) {
  std::string error;
  if (exit.code == 0 && !exit.is_external_stop) {
    return exit.detail;
  }
  const std::string code = " (" + std::to_string(exit.code) + ")";
  const std::string_view signal = signal_of_exit(exit.code);
  if (!signal.empty()) {
    error = "task: killed by " + std::string(signal) + code;
  } else {
    error = (exit.code == 0 ? "task: exit" : "task: non-zero exit") + code;
  }
  const std::string external = exit.is_external_stop ? "stopped from outside" : "";
  const std::string& detail = exit.detail.empty() ? external : exit.detail;
  return detail.empty() ? error : error + ": " + detail;
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
