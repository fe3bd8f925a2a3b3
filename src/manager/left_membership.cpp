#include "manager/left_membership.h"

#include <future>
#include <memory>
#include <utility>

#include "agent/worker.h"
#include "base/asio_loop.h"
#include "base/log.h"
#include "base/random.h"
#include "base/units.h"
#include "manager/assignment_file.h"
#include "manager/run_on.h"
#include "mesh/proxy/mesh_client.h"
#include "runtime/process/task_directory.h"
#include "security/tls/certificate.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

namespace {

// Long enough for a shim that was just starting, and for an engine that is slow.
constexpr std::chrono::seconds kFindLimit(15);
// How long the engine may take to remove what has stopped.
constexpr Duration kRemoveLimit = seconds(15);

void identify_by_tasks(FileSystem& files, const std::filesystem::path& directory,
                       NodeRecord* record) {
  const Result<std::vector<std::string>> tasks = files.list(directory / "tasks");
  for (size_t i = 0; tasks.ok() && i < tasks->size() && record->node.is_empty(); ++i) {
    const runtime::TaskDirectory task(files, directory / "tasks" / (*tasks)[i]);
    if (const Result<runtime::TaskRecord> kept = task.read_task(); kept.ok()) {
      record->swarm = kept->labels.swarm;
      record->node = kept->labels.node;
    }
  }
}

// Works like the agent, but for no manager: its only assignment is that there is none.
class LeftTasks {
 public:
  LeftTasks(AsioLoop& loop, mesh::MeshClient& mesh, agent::AssignmentStore& store,
            std::unique_ptr<agent::Executor> executor, const NodeRecord& left)
      : loop_(loop),
        executor_(std::move(executor)),
        worker_(loop, *executor_, mesh, store, left.swarm, left.node, Random::from_system(),
                {.on_status = [](const model::TaskId&, const model::TaskStatus&) {},
                 .on_gone = [](const model::TaskId&) {}}) {
    executor_->set_listener([this](const model::TaskId& task, const agent::ExecutorEvent& event) {
      worker_.observe(task, event);
    });
    executor_->set_condition_listener([](const agent::EngineCondition&) {});
  }

  // False when they did not end in time. Not on the loop.
  bool end() {
    auto found = std::make_shared<std::promise<Duration>>();
    auto ended = std::make_shared<std::promise<void>>();
    run_on(loop_, [this, found, ended] {
      worker_.start([this, found] { found->set_value(worker_.longest_stop({})); });
      worker_.remove_all({}, [ended] { ended->set_value(); });
    });
    std::future<Duration> longest = found->get_future();
    return longest.wait_for(kFindLimit) == std::future_status::ready &&
           ended->get_future().wait_for(longest.get() + kRemoveLimit) == std::future_status::ready;
  }

 private:
  AsioLoop& loop_;
  std::unique_ptr<agent::Executor> executor_;
  agent::Worker worker_;
};

}  // namespace

std::string left_of_a_membership(FileSystem& files, const std::filesystem::path& directory) {
  std::string names;
  for (const std::string_view name : kMembershipFiles) {
    if (files.exists(directory / name)) {
      names.append(names.empty() ? "" : ", ").append(name);
    }
  }
  return names;
}

NodeRecord left_record(FileSystem& files, const std::filesystem::path& directory) {
  if (Result<NodeRecord> kept = load_node_record(files, directory); kept.ok()) {
    return *std::move(kept);
  }
  NodeRecord record;
  if (const auto credentials = security::load_credentials(files, directory); credentials.ok()) {
    const auto identity = security::identity_of(credentials->certificate);
    if (identity.ok()) {
      record.swarm = identity->swarm;
      record.node = identity->node;
    }
  }
  if (record.node.is_empty()) {
    identify_by_tasks(files, directory, &record);
  }
  return record;
}

void end_left_membership(const AgentRoleOptions& options, const NodeRecord& left,
                         const std::vector<RuntimeChoice>& runtimes,
                         const std::filesystem::path& directory, FileSystem& files) {
  AsioLoop loop("leftovers");
  loop.start();
  AssignmentFile store(files, directory / "agent" / "tasks");
  std::unique_ptr<mesh::MeshClient> mesh;
  run_on(loop, [&] {
    mesh = std::make_unique<mesh::MeshClient>(
        loop,
        mesh::MeshClient::Options{
            .control_socket = directory / "mesh.sock", .swarm = left.swarm, .node = left.node},
        [](const mesh::MeshClient::Failed&) {
          return absl::CancelledError("none is started for a membership that ends");
        });
    mesh->start();
  });
  for (const RuntimeChoice& runtime : runtimes) {
    NodeRecord self = left;
    record_runtime(runtime, &self);
    std::unique_ptr<LeftTasks> tasks;
    run_on(loop, [&] {
      tasks = std::make_unique<LeftTasks>(loop, *mesh, store,
                                          make_executor(self, options, directory, loop), self);
    });
    if (!tasks->end()) {
      log::error("not all tasks could be removed with the membership they were of",
                 {{"runtime", runtime.runtime}});
    }
    run_on(loop, [&] { tasks.reset(); });
  }
  end_mesh(loop, *mesh, nullptr);
  run_on(loop, [&] { mesh.reset(); });
  loop.stop();
}

}  // namespace swarm::manager
