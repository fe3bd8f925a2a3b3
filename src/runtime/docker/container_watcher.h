#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"
#include "runtime/docker/existing_tasks.h"
#include "runtime/probe/health_monitor.h"

namespace swarm::runtime {

// Watches the containers of tasks and tells what is new about each, once. What the engine says when
// a container is inspected is the only truth; its events say when to look, and a list of all of
// them from time to time finds what no event told. On the loop.
//
// A task is one run of one container. Whatever else is done to it by hand is undone or booked: a
// run that was begun again after its end is stopped, a restart ends the task, a paused container
// or one without an address is unreachable, an address that has changed is told anew, and a restart
// policy is set back.
class ContainerWatcher {
 public:
  ContainerWatcher(AsioLoop& loop, EngineClient& engine) : loop_(loop), engine_(engine) {}

  void set_listener(agent::Executor::Listener listener) { listener_ = std::move(listener); }

  // A container was made for the task; nothing is told before it was started.
  void add(const agent::TaskLabels& labels, const std::string& container,
           std::vector<TargetPort> ports);
  // One that was found. What it is now is in the answer, what changes is told.
  agent::ExistingTask adopt(const FoundContainer& found);
  void note_started(const model::TaskId& task);
  // Its end is ours from now on.
  void note_stopping(const model::TaskId& task);
  // It is to serve these from now on, whatever it was made for. Those that are new have to show
  // that they are served before they are told.
  void publish(const model::TaskId& task, std::vector<TargetPort> ports);
  void forget(const model::TaskId& task);

  // Null when there is no such task.
  const std::string* container(const model::TaskId& task) const;
  // Whether it was started, and has not been told to have ended.
  bool runs(const model::TaskId& task) const;
  bool has_container(const std::string& container) const {
    return by_container_.contains(container);
  }
  // What is known of all tasks.
  std::vector<agent::ExistingTask> known() const;

  // Looks at the container and tells what is new; then runs `then`.
  void refresh(const model::TaskId& task, Callback then = nullptr);
  void refresh_all();
  void observe(const EngineEvent& event);
  // Looks at those that are not as they were seen last.
  void compare(const std::vector<ListedContainer>& listed);

 private:
  // What was seen and told of one container, so that nothing is told twice.
  struct Task {
    agent::TaskLabels labels;
    std::string container;
    std::string seen_status;  // the engine's words when it was looked at last
    std::string seen_address;
    std::vector<TargetPort> ports;  // what it is to serve
    std::string run;                // ContainerState::started_at of the run that is the task
    int64_t run_since = 0;          // not before its start, as judge_ending takes it
    std::vector<agent::TaskAddress> addresses;  // as told with `healthy`
    std::string address;                        // of the container when it was told or probed last
    agent::ExecutorEvent ending;                // as told
    bool is_started = false;
    bool is_healthy = false;
    bool has_new_ports = false;  // `healthy` is due again
    bool is_unhealthy = false;
    bool is_unreachable = false;
    bool is_ending = false;  // how it ended is being found out
    bool has_ended = false;
    bool is_stopping = false;
    bool is_being_undone = false;  // a call that undoes what somebody else did is under way
    bool is_refreshing = false;
    bool needs_refresh = false;  // a hint came while it was being looked at
    std::vector<Callback> after_refresh;
    std::unique_ptr<HealthMonitor> readiness;
  };

  void on_inspected(const model::TaskId& task, const Result<ContainerState>& state);
  void compare(const model::TaskId& task, const ContainerState& state);
  void compare_running(const model::TaskId& task, const ContainerState& state);
  void compare_health(const model::TaskId& task, const ContainerState& state);
  void watch_readiness(const model::TaskId& task, const ContainerState& state);
  void begin_ending(const model::TaskId& task, const ContainerState& state);
  void find_ending(const model::TaskId& task, const ContainerState& state, bool may_look_again);
  void stop_again(const model::TaskId& task);
  void forbid_restarts(const model::TaskId& task);

  void tell_healthy(const model::TaskId& task, const ContainerState& state);
  void tell_waiting(const model::TaskId& task, const std::string& why);
  void tell_unreachable(const model::TaskId& task, const std::string& why);
  void tell_unhealthy(const model::TaskId& task, const std::string& why);
  void tell_end(const model::TaskId& task, agent::ExecutorEvent event);
  void tell(model::TaskId task, const agent::ExecutorEvent& event);
  static agent::ExistingTask describe(const Task& task);
  Task* find(const model::TaskId& task);

  AsioLoop& loop_;
  EngineClient& engine_;
  agent::Executor::Listener listener_;
  std::map<model::TaskId, Task> tasks_;
  std::map<std::string, model::TaskId> by_container_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
