#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "platform/process.h"
#include "runtime/probe/health_monitor.h"
#include "runtime/process/task_directory.h"

namespace swarm::runtime {

// One task of the process runtime: its directory, its shim, its health. On the executor's loop.
//
// created -> starting -> running -> exited; a start that fails ends in exited without an event. Any
// callback may destroy the task.
class ProcessTask {
 public:
  enum class State { created, starting, running, exited };
  using EventSink = absl::AnyInvocable<void(const agent::ExecutorEvent&)>;

  // `shim_command` is completed with the directory. `sink` gets the task's events.
  ProcessTask(AsioLoop& loop, TaskDirectory directory, TaskRecord record,
              std::vector<std::string> shim_command, EventSink sink);

  // Takes up what the directory says: a task of an earlier executor. Events about it follow.
  Status adopt();

  // With the ports of `record()` chosen.
  void start(agent::Executor::Done done);
  void stop(Duration grace, agent::Executor::Done done);
  // FAILED_PRECONDITION while it runs.
  Status remove();

  State state() const { return state_; }
  bool is_healthy() const { return is_healthy_; }
  int32_t exit_code() const { return exit_.exit_code; }
  std::vector<agent::TaskAddress> addresses() const;
  TaskRecord& record() { return record_; }
  const TaskDirectory& directory() const { return directory_; }

 private:
  void on_report(const std::string& text);
  void fail_start(Status status);
  void on_shim_exit(platform::ExitStatus status);
  // How it ended, from what the shim wrote or, when it could not, from what else is known.
  ExitRecord find_exit(platform::ExitStatus status);
  void watch_health();
  std::unique_ptr<Check> make_check() const;
  void become_healthy();

  AsioLoop& loop_;
  TaskDirectory directory_;
  TaskRecord record_;
  std::vector<std::string> shim_command_;
  EventSink sink_;
  State state_ = State::created;
  bool is_healthy_ = false;
  ExitRecord exit_;
  platform::ProcessId process_;
  agent::Executor::Done on_started_;
  std::vector<agent::Executor::Done> on_stopped_;
  Timer guard_;  // a shim that does not answer
  std::unique_ptr<platform::WatchedProcess> shim_;
  std::unique_ptr<HealthMonitor> health_;
};

}  // namespace swarm::runtime
