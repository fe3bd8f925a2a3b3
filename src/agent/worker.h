#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/assignment_store.h"
#include "agent/task_runner.h"

namespace swarm::agent {

// A record is written this long after the first change it holds: losing that much costs nothing.
inline constexpr Duration kSaveDelay = milliseconds(50);
inline constexpr Duration kSaveRetryWait = seconds(1);
inline constexpr Duration kListRetryWait = seconds(1);
// How often the engine is asked what exists. Finds what no call and no event told of: a container
// that an engine finished making long after the call for it was given up.
inline constexpr Duration kSweepPeriod = seconds(15);

// All tasks of the node: brings what exists to what is assigned. On the agent's loop.
//
// After a restart, containers that run and are assigned go on and are admitted again. New ones are
// started, and unknown ones stopped and removed, only once a manager has sent a complete set: until
// then the record may be out of date. From that set on, whatever exists and is not assigned is
// removed, whenever it appears.
class Worker {
 public:
  struct Events {
    std::function<void(const model::TaskId&, const model::TaskStatus&)> on_status;
    std::function<void(const model::TaskId&)> on_gone;
  };

  Worker(EventLoop& loop, Executor& executor, MeshControl& mesh, AssignmentStore& store,
         model::SwarmId swarm, model::NodeId node, Random random, Events events);

  // Finds what exists, asking the engine until it answers; then `done`. Everything else comes
  // after.
  void start(std::function<void()> done);

  void apply(const model::AssignmentSet& set);
  void observe(const model::TaskId& task, const ExecutorEvent& event);
  // The published ports of this node that cannot be opened. A task that publishes one in host mode
  // serves nobody and fails; of an ingress port the other nodes still answer, so it is only shown.
  void set_port_problems(std::vector<MeshControl::PortProblem> problems);

  // Writes what is not written yet. Before a status goes up: a manager is never told of an end that
  // the agent could forget.
  void flush();

  // Drains, stops and removes every task: the node leaves the swarm.
  void remove_all(StopLimits limits, std::function<void()> done);

  // The longest that one of the tasks may drain and stop.
  Duration longest_stop(StopLimits limits) const;

  // Null when there is none.
  const TaskRunner* find(const model::TaskId& task) const;
  size_t size() const { return runners_.size(); }

 private:
  // A task of the record that had not started: waits for a complete set.
  struct Held {
    model::Assignment assignment;
    model::TaskStatus status;
  };

  void list();
  void sweep();
  void log_list_fault(const Status& status);
  void log_list_recovery();
  void restore(std::vector<ExistingTask> existing);
  void assign(const model::Assignment& assignment);
  void launch(const model::Assignment& assignment, const model::TaskStatus* kept,
              const ExistingTask* existing);
  void discard(const ExistingTask& existing);
  void apply_complete(const model::AssignmentSet& set);
  void apply_problems(TaskRunner& runner);
  void forget(const model::TaskId& task);
  void remove_everything();
  void save_soon();
  void save();
  void check_empty();

  EventLoop& loop_;
  Executor& executor_;
  AssignmentStore& store_;
  model::SwarmId swarm_;
  model::NodeId node_;
  Random random_;
  Events events_;
  TaskHost host_;
  std::map<model::TaskId, std::unique_ptr<TaskRunner>> runners_;
  std::map<model::TaskId, Held> held_;
  // Containers without a runner; empty once a complete set was applied.
  std::map<model::TaskId, ExistingTask> unclaimed_;
  std::vector<MeshControl::PortProblem> problems_;
  bool is_listed_ = false;
  FaultCounter list_faults_;
  std::function<void()> on_started_;
  std::function<void()> on_empty_;
  StopLimits limits_;
  Timer list_timer_;
  Timer sweep_timer_;  // set from the first complete set on
  Timer save_timer_;   // set while something is not written
  bool is_save_failing_ = false;
  Anchor anchor_;
};

}  // namespace swarm::agent
