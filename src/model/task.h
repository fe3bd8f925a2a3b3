#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/service.h"

namespace swarm::model {

// In the order of a task's life; it never goes back. The numbers are stored: do not renumber.
enum class TaskState : uint8_t {
  fresh = 0,       // shown as NEW
  pending = 10,    // waits for a node
  assigned = 20,   // has one
  accepted = 30,   // the agent took it
  preparing = 40,  // image, container
  ready = 50,      // prepared, waits for desired state running
  starting = 60,   // started, not yet healthy
  running = 70,    // up and healthy: may be an endpoint
  complete = 80,   // ended by itself, exit code 0
  shutdown = 90,   // stopped on request
  failed = 100,    // ended by itself with an error, or unhealthy
  rejected = 110,  // could not be started
  remove = 120,    // desired only: stop, then delete the record
  orphaned = 130,  // its node is gone for good
};

std::string_view to_string(TaskState state);  // "running"
std::optional<TaskState> parse_task_state(std::string_view text);

// The container has ended or will never be.
constexpr bool is_terminal(TaskState state) {
  return state > TaskState::running;
}

// Why a task waits, for machines; the sentence is in TaskStatus::message.
enum class WaitReason : uint8_t {
  none,
  no_suitable_node,
  restart_delay,
  predecessor,  // stop-first: the old task of the slot has not stopped
  image,        // being fetched
  health,       // started, not yet healthy; or running, but not yet at all of its target ports
  engine,       // of its node: busy with other tasks, or silent
};

std::string_view to_string(WaitReason reason);  // "no_suitable_node"

struct TaskStatus {
  TaskState state = TaskState::fresh;
  WaitReason wait = WaitReason::none;
  WallTime at;          // of the last change of state
  std::string message;  // what is happening, for a person
  std::string error;    // why it failed or cannot go on
  std::optional<int32_t> exit_code;
  // Somebody other than the task and the swarm ended it: a person, the engine as it went down.
  bool is_external_stop = false;
  std::string container_id;  // the runtime's own name for it
  WallTime running_since;    // when it first ran; not set before
  // The one its agent works to; not the task's while the agent has not heard that it was taken
  // over.
  RevisionNumber revision = 0;

  bool operator==(const TaskStatus&) const = default;
};

// Runs, and nothing keeps it from its work: a pause, or a target port that it does not serve yet.
constexpr bool is_working(const TaskStatus& status) {
  return status.state == TaskState::running && status.wait == WaitReason::none;
}

// What a task waits for, as people are told, and for how long at most.
struct TaskWait {
  std::string what;  // "waiting for web.1 on node w2 to stop"
  WallTime since;    // not set: nobody knows
  Duration limit{};  // zero: nobody knows

  bool operator==(const TaskWait&) const = default;
};

// One attempt to run a slot at a revision. Immutable but for node, status and desired state, and
// for the revision: a rollout takes a task over as it is when its new revision would make the same
// container (orchestrator/restamp.h).
// Lean on purpose: it names its revision and does not embed it, and small fields stand together (a
// swarm of 100,000 tasks keeps each in less than 1 KiB, indexes included).
struct Task {
  TaskId id;
  Meta meta;
  ServiceId service;
  RevisionNumber revision = 0;
  Slot slot = 0;
  // ready (held back), running, shutdown or remove; written by orchestrators only, never lowered.
  TaskState desired = TaskState::running;
  // Made by a rollout: its failure within the monitor window counts against it.
  bool is_rollout = false;
  NodeId node;
  TaskStatus status;

  // Held at desired state ready until this instant (restart delay) ...
  WallTime not_before;
  // ... and until this task has stopped (stop-first); empty: nobody.
  TaskId predecessor;

  // Restarts in a row in this slot at this revision, for back-off; carried from task to task.
  uint32_t restarts = 0;
  // Start of the restart window the attempts are counted in.
  uint32_t window_restarts = 0;
  WallTime window_started_at;

  bool operator==(const Task&) const = default;
};

// "web.3". A container is named "web.3.<task id>": add the id.
std::string task_name(std::string_view service_name, const Task& task);

}  // namespace swarm::model
