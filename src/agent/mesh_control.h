#pragma once

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "agent/executor.h"
#include "base/result.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// The agent's hold on the mesh of its node, which is another process and outlives swarmd. Calls
// while the mesh is being (re)started are kept and sent when it answers: the implementation knows
// the whole wanted state (table, admitted tasks) and brings a new mesh up to it. On the agent's
// loop.
class MeshControl {
 public:
  // A port that could not be opened, and why: "port 8080 is in use by another program".
  struct PortProblem {
    model::ServiceId service;
    model::PublishedPort port;
    std::string error;
  };

  // What the mesh says of the published ports of this node.
  struct PortReport {
    std::vector<PortProblem> problems;  // the whole current set
    model::Position table = 0;          // the newest table whose ports are open, but for these
  };

  virtual ~MeshControl() = default;

  // The endpoints of the whole swarm. Older positions than the newest are ignored.
  virtual void set_table(const model::MeshTable& table) = 0;

  // From now on connections are admitted to this local task. Repeating it is harmless.
  virtual void admit(const model::TaskId& task, const model::ServiceId& service,
                     const std::vector<TaskAddress>& addresses) = 0;

  // No new connection to the task from now on, unless it has a timeout and its service nobody else
  // while some connection does not end; `done` when its last one has ended or `timeout` has passed.
  // Kept connections that are between two requests move to another endpoint or are closed.
  // `done` runs also for a task that was never admitted.
  virtual void retire(const model::TaskId& task, Duration timeout,
                      absl::AnyInvocable<void()> done) = 0;

  // Whenever the problems change, and after each table that was applied.
  virtual void set_port_listener(absl::AnyInvocable<void(const PortReport&)> listener) = 0;

  // Why the mesh does not run, for a person, and empty once it does. A mesh that is only being
  // started or replaced is no trouble.
  virtual void set_condition_listener(
      absl::AnyInvocable<void(const std::string& reason)> listener) = 0;
};

}  // namespace swarm::agent
