#pragma once

#include <deque>
#include <functional>
#include <string>

#include "agent/adoption.h"
#include "agent/backoff.h"
#include "agent/executor.h"
#include "agent/mesh_control.h"
#include "agent/task_machine.h"
#include "base/event_loop.h"
#include "base/fault_counter.h"

namespace swarm::agent {

// How often a step that the engine refuses for the moment is tried before the task is rejected.
inline constexpr int kMaxAttempts = 6;
// Waits between those attempts, about half a minute in all; and between attempts to stop or to
// remove, which are never given up.
inline constexpr Duration kMinRetryWait = milliseconds(500);
inline constexpr Duration kMaxRetryWait = seconds(10);
// How long a task may be paused or cut off from its network by somebody else before it is replaced.
// It leaves routing at once, so this costs capacity, not requests; a snapshot or a reconnection is
// over by then.
inline constexpr Duration kUnreachableGrace = seconds(30);

// What the runners of a node work with; owned by the worker.
struct TaskHost {
  EventLoop& loop;
  Executor& executor;
  MeshControl& mesh;
  // The status has changed.
  std::function<void(const model::TaskId&, const model::TaskStatus&)> report;
  // The task was removed. The runner must not be destroyed within this call.
  std::function<void(const model::TaskId&)> gone;
  // What the engine refused, over all tasks.
  FaultCounter faults = {};
};

// Takes one task through its steps (task_machine.h): acts on entering a step, turns what executor
// and mesh answer into events, and keeps the status that is reported. On the agent's loop.
// Destroying it leaves the container as it is.
class TaskRunner {
 public:
  TaskRunner(TaskHost& host, TaskLabels labels, model::Assignment assignment, Random random);

  // Goes on from where adopt() says; `addresses` of the container when it runs already.
  void begin(Adoption adoption, std::vector<TaskAddress> addresses);

  // The manager took the task over to another revision, which makes the same container: what it
  // publishes may be another port. Until the task works at a target port that is new, it serves at
  // those it had.
  void set_revision(const model::Assignment& assignment);
  // A desired state below the present one is ignored.
  void set_desired(model::TaskState desired);
  void observe(const ExecutorEvent& event);
  // The task cannot do its work on this node: it ends with this error.
  void fail(const std::string& error);
  // From now on; a drain that is under way is cut short as well.
  void limit_stop(StopLimits limits);
  // Shown beside the status until it is cleared (a published port that is not open).
  void set_notice(const std::string& notice);

  // desired is `remove` once the record is gone.
  const model::Assignment& assignment() const { return assignment_; }
  const model::TaskStatus& status() const { return status_; }
  TaskStep step() const { return step_; }

 private:
  struct Outcome {
    model::TaskState state = model::TaskState::fresh;
    std::string error;
  };

  void fire(TaskEvent event);
  void handle_events();
  void enter(TaskStep step);
  void act(TaskStep step);
  void pursue_desired();

  void call_prepare();
  void call_start();
  void call_stop();
  void call_remove();
  void call_finished(const Status& status, TaskEvent success);
  void retry(const Status& status, void (TaskRunner::*call)());
  void enter_running();
  void enter_ended();
  void drain();

  void note_wait(const std::string& why);
  void note_unreachable(const std::string& why);
  void note_exit(const ExecutorEvent& event);
  // The container does not work at all target ports of the spec as far as is known.
  bool lacks_address() const;
  void publish_ports();
  void show_running();
  void decide_outcome(model::TaskState state, std::string error);
  void set_status(model::TaskState state, std::string message,
                  model::WaitReason wait = model::WaitReason::none);
  void publish();

  TaskHost& host_;
  TaskLabels labels_;
  model::Assignment assignment_;
  TaskStep step_ = TaskStep::accepted;
  model::TaskStatus status_;  // without the notice
  std::string notice_;
  std::vector<TaskAddress> addresses_;
  // How it will end, once that is known; the first cause wins.
  Outcome outcome_;
  // Events that came while another was being handled.
  std::deque<TaskEvent> events_;
  bool is_firing_ = false;
  bool is_call_pending_ = false;
  // Healthy was seen before start had answered.
  bool is_healthy_ = false;
  // Runs, but has not shown yet that it works at target ports that a later revision added.
  bool awaits_ports_ = false;
  int attempts_ = 0;
  Backoff backoff_;
  Timer retry_timer_;
  Timer unreachable_timer_;  // set while it runs but serves nobody
  Anchor anchor_;
};

}  // namespace swarm::agent
