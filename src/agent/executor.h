#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "base/time.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// Where a running task answers on one target port, as seen from its own node: a container's private
// address, or an ephemeral port on loopback.
struct TaskAddress {
  uint16_t target = 0;
  std::string address;  // "172.17.0.3:80"

  bool operator==(const TaskAddress&) const = default;
};

// Names what an executor runs for the agent to find again after its own restart. Executors store
// them as container labels, or in the state file of a shim.
struct TaskLabels {
  model::SwarmId swarm;
  model::NodeId node;
  model::TaskId task;
  model::ServiceId service;
  std::string service_name;
  model::Slot slot = 0;
  model::RevisionNumber revision = 0;

  bool operator==(const TaskLabels&) const = default;
};

// The most that a task may take to stop, whatever its spec allows it.
struct StopLimits {
  Duration drain = Duration::max();
  Duration grace = Duration::max();
};

// What happened to one task since it was started. Events of a task come in order.
struct ExecutorEvent {
  enum class Kind {
    // Works: `addresses` are set. Without a health check of its own, a task works when its
    // published tcp targets accept connections; without those, once it is started. Told again when
    // the addresses have changed, and after `unreachable`.
    healthy,
    // Not ready yet, and `error` says why: "port 80: connection refused". Told whenever the reason
    // changes. Before the preparation has begun it is the place in the engine's queue.
    waiting,
    // Goes on, but serves nobody for now: paused, or without an address. `error` says why.
    unreachable,
    unhealthy,  // its health check failed for good; `error` is what the last check said
    exited,     // `exit_code`, and `error` if there is more to say ("out of memory")
    lost,       // the engine no longer knows it
  };
  Kind kind = Kind::healthy;
  std::vector<TaskAddress> addresses;
  int32_t exit_code = 0;
  std::string error;
  // Of `exited`: somebody other than the task and the agent stopped it (a person, the engine as it
  // went down, the machine). Its exit code is then no verdict: a stopped server ends with 0.
  bool is_external_stop = false;
};

// Something of ours that exists on the node, found again after a restart of the agent.
struct ExistingTask {
  TaskLabels labels;
  std::string container_id;
  enum class State { created, running, exited } state = State::created;
  bool is_healthy = false;  // as ExecutorEvent::healthy
  std::vector<TaskAddress> addresses;
  int32_t exit_code = 0;
  std::string error;              // as in ExecutorEvent::exited
  bool is_external_stop = false;  // as in ExecutorEvent::exited
};

struct EngineDescription {
  std::string runtime;  // "docker", "process"
  std::string version;
  model::Resources resources;
  model::Labels labels;
};

// Whether the engine does what it is asked.
struct EngineCondition {
  bool is_ok = true;
  std::string reason;  // "the engine does not answer: connection refused"

  bool operator==(const EngineCondition&) const = default;
};

// Runs tasks for the agent; one per runtime. The agent owns the state machine of a task: an
// executor only does what it is told and reports what it sees.
//
// All calls and all callbacks are on the agent's loop; nothing blocks it. Calls for one task come
// one at a time. Errors: NOT_FOUND or FAILED_PRECONDITION cannot be cured by trying again (no such
// image, bad command, port in use); UNAVAILABLE can (the engine does not answer).
class Executor {
 public:
  using Done = absl::AnyInvocable<void(Status)>;
  using Listener = absl::AnyInvocable<void(const model::TaskId&, const ExecutorEvent&)>;

  virtual ~Executor() = default;

  virtual void describe(absl::AnyInvocable<void(Result<EngineDescription>)> done) = 0;

  // Before anything else; events begin with it.
  virtual void set_listener(Listener listener) = 0;

  // Told of every change from now on; until then the engine counts as well. An executor whose
  // engine can be away finds out by itself, and when it is back, within seconds.
  virtual void set_condition_listener(
      absl::AnyInvocable<void(const EngineCondition&)> listener) = 0;

  // All tasks of ours that exist, running or not. Events about them follow from now on. Also asked
  // again and again, to find what nobody was told of: cheap for what is known already.
  virtual void list(const model::SwarmId& swarm, const model::NodeId& node,
                    absl::AnyInvocable<void(Result<std::vector<ExistingTask>>)> done) = 0;

  // Makes everything ready but starts nothing: image present, container created. The id of the
  // container comes back.
  virtual void prepare(const TaskLabels& labels, const model::TaskTemplate& spec,
                       absl::AnyInvocable<void(Result<std::string>)> done) = 0;
  // Nobody waits for the preparation any more: one that has not begun ends at once with CANCELLED,
  // one under way goes on to its end. `done` of the preparation is called in any case.
  virtual void abandon(const model::TaskId& /*task*/) {}
  // Started, not yet healthy: that is an event.
  virtual void start(const model::TaskId& task, Done done) = 0;
  // A started task publishes these ports from now on, without a restart. `healthy` is told again,
  // with all addresses, once the task works at all of them; until then `waiting`, and what was told
  // of the others holds. Does nothing where a task has the ports that it started with for life.
  virtual void publish(const model::TaskId& /*task*/,
                       const std::vector<model::PublishedPort>& /*ports*/) {}
  // Stop signal, then kill after the grace period. Done when it has ended (its `exited` event came
  // before). OK if it had ended already or was never started.
  virtual void stop(const model::TaskId& task, Duration grace, Done done) = 0;
  // Forgets it and all it left. It must have ended. OK if there is nothing.
  virtual void remove(const model::TaskId& task, Done done) = 0;
};

}  // namespace swarm::agent
