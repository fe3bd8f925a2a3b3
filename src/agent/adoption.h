#pragma once

#include <string>

#include "agent/executor.h"
#include "agent/task_machine.h"
#include "base/time.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// Where a task goes on after a restart of the agent, and the status it has there.
struct Adoption {
  TaskStep step = TaskStep::accepted;
  model::TaskStatus status;
};

// Compares what was assigned and remembered with what exists. A container that runs is never
// restarted: it goes on, or is drained and stopped when it is no longer wanted. `kept` (the status
// remembered) and `existing` (the container found) may be null.
Adoption adopt(const model::Assignment& assignment, const model::TaskStatus* kept,
               const ExistingTask* existing, WallTime now);

// What the end of a container with this exit code means.
model::TaskState state_of_exit(int32_t exit_code);
// "task: non-zero exit (137): out of memory"; empty for exit code 0 without detail.
std::string error_of_exit(int32_t exit_code, const std::string& detail);

}  // namespace swarm::agent
