#pragma once

#include <functional>
#include <memory>

#include "agent/assignment_store.h"
#include "agent/dispatcher_client.h"
#include "agent/executor.h"
#include "agent/mesh_control.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// How often the engine is asked what it is: an upgrade or new resources show up without a restart.
inline constexpr Duration kDescribePeriod = seconds(20);
inline constexpr Duration kDescribeRetryWait = seconds(1);
// How long the engine may take to say what it is before the node joins in without that.
inline constexpr Duration kDescribePatience = seconds(3);
inline constexpr Duration kRestartingLimit = seconds(1);

// Runs the tasks of one node, on every node of a swarm. Keeps a session with the leader's
// dispatcher, brings the containers of the node to what it assigns, says what became of them, and
// tells the mesh whom it may send connections to. It decides nothing about services: which tasks
// there are is the leader's business. Without a manager its tasks run on for ever. Without its
// engine the node is a member all the same, and says what is wrong; what it is assigned waits.
//
// All of it is on one loop and does no I/O of its own: the engine, the mesh, the network and the
// disk are behind the interfaces handed in, which must outlive it. Destroying it leaves containers
// and mesh as they are; the next agent on the same node takes them over.
//
// After Docker's swarm mode (swarmkit/agent), with the drain that one lacks.
class Agent {
 public:
  struct Options {
    model::NodeId node;
    model::SwarmId swarm;
    // What the node knows of itself without the engine: hostname, os, architecture, version, mesh
    // address, runtime. The rest is filled in from Executor::describe.
    model::NodeDescription self;
    // Where to begin: the last list that was heard, or the manager it joined through.
    model::ManagerList managers;
  };
  struct Handlers {
    // The managers have changed: to be kept for the next start.
    std::function<void(const model::ManagerList&)> on_managers;
    // The role this node should have. Repeated while the session lasts.
    std::function<void(model::Role)> on_role;
    // The swarm has removed this node: it should leave(). The session is over.
    std::function<void()> on_removed;
  };

  Agent(Options options, Handlers handlers, EventLoop& loop, AssignmentStore& store,
        Executor& executor, MeshControl& mesh, DispatcherClient& client, Random random);
  ~Agent();

  // Finds the containers that exist, then looks for a manager.
  void start();

  // The node leaves the swarm: ends the session, drains, stops and removes every task, then `done`.
  // A task takes no longer for it than `limits` say.
  void leave(StopLimits limits, std::function<void()> done);
  // The longest that one of the tasks may drain and stop, within `limits`.
  Duration longest_stop(StopLimits limits) const;

  // The daemon stops and will be back: tells the manager, so that it keeps the tasks where they
  // are. `done` when that is known, or cannot be: at most kRestartingLimit later. Nothing else may
  // follow but the destruction.
  void announce_restart(std::function<void()> done);

  // What others measure on this node: disk, descriptors. An empty reason: all is well.
  void set_condition(model::ConditionKind kind, std::string reason);

  // As of NodeDescription.
  void set_manager_refusal(std::string reason);

  // Whether a manager has accepted the present session.
  bool is_connected() const;
  // The manager it is connected to or tries.
  const std::string& manager() const;
  // The status of a task as last reported; null when the node has no such task.
  const model::TaskStatus* status(const model::TaskId& task) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::agent
