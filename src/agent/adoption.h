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

// How a container ended.
struct Exit {
  int32_t code = 0;
  std::string detail;             // what else is known: "out of memory"
  bool is_external_stop = false;  // as in ExecutorEvent
};

// What it means. A stop that nobody of the swarm chose is no completion, whatever the exit code.
model::TaskState state_of_exit(const Exit& exit);
// "task: killed by SIGKILL (137): out of memory", "task: non-zero exit (3)"; empty for exit code 0
// without detail.
std::string error_of_exit(const Exit& exit);

}  // namespace swarm::agent
