#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "base/file_system.h"
#include "runtime/process/bundle_store.h"
#include "runtime/process/port_pool.h"
#include "runtime/process/process_task.h"

namespace swarm::runtime {

struct ProcessOptions {
  // Tasks live in STATE/tasks, bundles in STATE/bundles; the node's own.
  std::filesystem::path state_directory;
  // More places for bundles, searched after the node's own.
  std::vector<std::filesystem::path> bundle_directories;
  // What starts a shim, completed with the task's directory: this program, "task-shim".
  std::vector<std::string> shim_command;
  std::string version;  // of swarmd, shown as the engine's
};

// Tasks as plain processes, for nodes without an engine. An image is a bundle (see BundleStore); a
// task is a process with a shim for a parent, which lives on when this program does not, and its
// published ports are ephemeral ports on loopback, told to it as PORT and PORT_<target>.
//
// There is no isolation: mounts, users, host names and read-only roots are refused
// (FAILED_PRECONDITION), limits are set where control groups can be written. Files are read and
// written on the loop: they are few, small and never synced.
class ProcessExecutor final : public agent::Executor {
 public:
  ProcessExecutor(AsioLoop& loop, ProcessOptions options);
  ~ProcessExecutor() override;

  void describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) override;
  void set_listener(Listener listener) override;
  // Never called: there is no engine that could be away.
  void set_condition_listener(
      absl::AnyInvocable<void(const agent::EngineCondition&)> listener) override;
  void list(const model::SwarmId& swarm, const model::NodeId& node,
            absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)> done) override;
  void prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
               absl::AnyInvocable<void(Result<std::string>)> done) override;
  void start(const model::TaskId& task, Done done) override;
  void stop(const model::TaskId& task, Duration grace, Done done) override;
  void remove(const model::TaskId& task, Done done) override;

 private:
  using ListDone = absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)>;

  Result<TaskRecord> make_record(const agent::TaskLabels& labels, const model::TaskTemplate& spec);
  Status prepare_now(const agent::TaskLabels& labels, const model::TaskTemplate& spec);
  // Takes over every task directory that is not known yet.
  Status adopt_all();
  void adopt(const std::string& name);
  // Whether a shim of an earlier swarmd is between its own start and that of its process.
  bool is_any_starting();
  void list_when_settled(model::SwarmId swarm, model::NodeId node, int tries, ListDone done);
  ProcessTask& add(const model::TaskId& id, TaskDirectory directory, TaskRecord record);
  ProcessTask* find(const model::TaskId& task);

  AsioLoop& loop_;
  ProcessOptions options_;
  std::unique_ptr<FileSystem> files_;
  std::filesystem::path tasks_directory_;
  BundleStore bundles_;
  PortPool ports_;
  Listener listener_;
  std::map<model::TaskId, std::unique_ptr<ProcessTask>> tasks_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
