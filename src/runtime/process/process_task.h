#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "platform/process.h"
#include "runtime/probe/health_monitor.h"
#include "runtime/process/port_pool.h"
#include "runtime/process/task_directory.h"

namespace swarm::runtime {

// One task of the process runtime: its directory, its shim, its health. On the executor's loop.
//
// created -> starting -> running -> exited; a start that fails ends in exited without an event. Any
// callback may destroy the task.
//
// A task only hopes for its ports: another program may open one first. A task that is not healthy
// yet and has lost a port is started again on others, which nobody outside sees but for the wait;
// it counts as healthy only once its ports are those of its own processes.
class ProcessTask {
 public:
  enum class State { created, starting, running, exited };
  using EventSink = absl::AnyInvocable<void(const agent::ExecutorEvent&)>;

  // `shim_command` is completed with the directory. `sink` gets the task's events.
  ProcessTask(AsioLoop& loop, PortPool& ports, TaskDirectory directory, TaskRecord record,
              std::vector<std::string> shim_command, EventSink sink);

  // Takes up what the directory says: a task of an earlier executor. Events about it follow.
  Status adopt();

  // Chooses the ports that are not chosen yet.
  void start(agent::Executor::Done done);
  void stop(Duration grace, agent::Executor::Done done);
  // Gives its ports back. FAILED_PRECONDITION while it runs.
  Status remove();

  State state() const { return state_; }
  bool is_healthy() const { return is_healthy_; }
  const ExitRecord& exit() const { return exit_; }
  std::vector<agent::TaskAddress> addresses() const;
  const TaskRecord& record() const { return record_; }
  const TaskDirectory& directory() const { return directory_; }

 private:
  Status choose_ports();
  void release_ports();
  Status spawn_shim();
  void on_report(const std::string& text);
  void fail_start(Status status);
  void on_shim_exit(platform::ExitStatus status);
  // How it ended, from what the shim wrote or, when it could not, from what else is known.
  ExitRecord find_exit(platform::ExitStatus status);
  // Ends whatever the task has started, when its shim no longer can.
  void kill_all();
  void report_exit();
  // What is known of lost ports, for the error of a task that ends before it was healthy.
  void blame_ports();
  void watch_health();
  std::unique_ptr<Check> make_check() const;
  void on_check_passed();
  void become_healthy();
  void send(agent::ExecutorEvent::Kind kind, std::string error = "");

  // "port 20123 was taken by nginx (pid 12)" when another program listens on one of its ports.
  std::optional<std::string> find_lost_port() const;
  // The same for a task that has ended: its own words count, too.
  std::optional<std::string> find_lost_port(const ExitRecord& exit) const;
  // Whether its own processes listen on every published tcp port.
  bool holds_its_ports() const;
  bool may_move() const;
  // Ends the task to start it on other ports; false when it has no need to, or no right any more.
  bool leave_lost_port();
  void move();

  AsioLoop& loop_;
  PortPool& ports_;
  TaskDirectory directory_;
  TaskRecord record_;
  std::vector<std::string> shim_command_;
  EventSink sink_;
  State state_ = State::created;
  bool is_healthy_ = false;
  ExitRecord exit_;
  int moves_ = 0;
  std::string lost_port_;  // why it is being ended to move; empty otherwise
  std::string last_lost_port_;
  platform::ProcessId process_;
  agent::Executor::Done on_started_;
  std::vector<agent::Executor::Done> on_stopped_;
  Timer guard_;  // a shim that does not answer
  Timer look_again_;
  std::unique_ptr<platform::WatchedProcess> shim_;
  std::unique_ptr<HealthMonitor> health_;
};

}  // namespace swarm::runtime
