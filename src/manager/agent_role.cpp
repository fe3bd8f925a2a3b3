#include "manager/agent_role.h"

#include <future>
#include <utility>

#include "api/agent_client.h"
#include "base/log.h"
#include "base/units.h"
#include "manager/address.h"
#include "manager/node_health.h"
#include "manager/run_on.h"
#include "mesh/proxy/mesh_options.h"
#include "platform/host.h"
#include "platform/process.h"
#include "runtime/docker/docker_executor.h"
#include "runtime/process/process_executor.h"

namespace swarm::manager {

namespace {

// How long the engine may take to remove what has stopped.
constexpr Duration kRemoveLimit = seconds(15);
// An engine says what it is in milliseconds.
constexpr Duration kEngineProbeLimit = seconds(3);

mesh::Credentials mesh_credentials(const security::NodeCredentials& credentials) {
  return {credentials.ca_certificate, credentials.certificate, credentials.key};
}

// The mesh listens where the node listens: never anywhere but where told.
Result<mesh::MeshOptions> mesh_options(const AgentRoleOptions& options, const NodeRecord& record,
                                       const std::filesystem::path& directory) {
  SWARM_ASSIGN_OR_RETURN(HostPort listen, parse_host_port(record.listen_address, kSwarmPort));
  mesh::MeshOptions made;
  made.control_socket = directory / "mesh.sock";
  made.swarm = record.swarm;
  made.node = record.node;
  made.data_address = listen.host;
  listen.port = options.mesh_port;
  made.peer_address = listen.text();
  return made;
}

}  // namespace

std::unique_ptr<agent::Executor> make_executor(const NodeRecord& record,
                                               const AgentRoleOptions& options,
                                               const std::filesystem::path& directory,
                                               AsioLoop& loop) {
  if (record.runtime == "docker") {
    runtime::DockerOptions docker;
    docker.socket = record.engine;
    return std::make_unique<runtime::DockerExecutor>(loop, std::move(docker));
  }
  runtime::ProcessOptions process;
  process.state_directory = directory;
  process.bundle_directories = options.bundles;
  process.shim_command = {platform::program_path().string(), "task-shim"};
  process.version = options.version;
  return std::make_unique<runtime::ProcessExecutor>(loop, std::move(process));
}

EngineAnswer probe_engine(const std::string& socket) {
  AsioLoop loop("probe");
  loop.start();
  runtime::DockerOptions options;
  options.socket = socket;
  std::unique_ptr<agent::Executor> engine;
  // Shared: the answer may come after this has given up.
  auto answered = std::make_shared<std::promise<bool>>();
  auto answer = answered->get_future();
  loop.post([&] {
    engine = std::make_unique<runtime::DockerExecutor>(loop, std::move(options));
    engine->describe([answered](const Result<agent::EngineDescription>& description) {
      answered->set_value(description.ok());
    });
  });
  const bool is_silent = answer.wait_for(kEngineProbeLimit) != std::future_status::ready;
  run_on(loop, [&engine] { engine.reset(); });
  loop.stop();
  if (is_silent) {
    return EngineAnswer::silent;
  }
  return answer.get() ? EngineAnswer::answers : EngineAnswer::absent;
}

AgentRole::AgentRole(AssignmentFile store, api::CredentialsSource credentials)
    : store_(std::move(store)), credentials_(std::move(credentials)) {}

Result<std::unique_ptr<AgentRole>> AgentRole::start(const AgentRoleOptions& options,
                                                    const NodeRecord& record,
                                                    const std::filesystem::path& directory,
                                                    FileSystem& files,
                                                    api::CredentialsSource credentials,
                                                    Handlers handlers) {
  SWARM_RETURN_IF_ERROR(files.make_directories(directory / "agent"));
  SWARM_ASSIGN_OR_RETURN(mesh::MeshOptions mesh, mesh_options(options, record, directory));
  SWARM_ASSIGN_OR_RETURN(HostPort advertise, parse_host_port(record.advertise_address, kSwarmPort));
  advertise.port = options.mesh_port;

  std::unique_ptr<AgentRole> role(
      new AgentRole(AssignmentFile(files, directory / "agent" / "tasks"), std::move(credentials)));
  role->loop_.start();
  role->runtime_ = record.runtime;
  role->directory_ = directory;
  agent::Agent::Options agent_options;
  agent_options.node = record.node;
  agent_options.swarm = record.swarm;
  agent_options.managers.addresses = record.managers;
  agent_options.self.hostname = platform::host_name();
  agent_options.self.os = platform::operating_system();
  agent_options.self.architecture = platform::architecture();
  agent_options.self.version = options.version;
  agent_options.self.runtime = record.runtime;
  agent_options.self.mesh_address = advertise.text();

  run_on(role->loop_, [&] {
    AsioLoop& loop = role->loop_;
    role->executor_ = make_executor(record, options, directory, loop);
    const mesh::MeshClient::Options client{mesh.control_socket, record.swarm, record.node};
    role->mesh_launcher_ = std::make_unique<mesh::MeshLauncher>(loop, platform::program_path(),
                                                                mesh, directory / "mesh.log");
    role->mesh_ = std::make_unique<mesh::MeshClient>(
        loop, client, [launcher = role->mesh_launcher_.get()](mesh::MeshClient::Failed on_failed) {
          return launcher->launch(std::move(on_failed));
        });
    role->mesh_->set_credentials(mesh_credentials(*role->credentials_()));
    role->mesh_->start();
    role->client_ = api::make_dispatcher_client(loop, role->credentials_);
    role->agent_ = std::make_unique<agent::Agent>(
        std::move(agent_options),
        agent::Agent::Handlers{std::move(handlers.on_managers), std::move(handlers.on_role),
                               std::move(handlers.on_removed)},
        loop, role->store_, *role->executor_, *role->mesh_, *role->client_, Random::from_system());
    role->agent_->start();
    role->look_at_node();
  });
  log::info("agent started", {{"runtime", role->runtime_}});
  return role;
}

AgentRole::~AgentRole() {
  stop();
}

void AgentRole::set_manager_refusal(const std::string& reason) {
  loop_.post([this, reason] { agent_->set_manager_refusal(reason); });
}

void AgentRole::credentials_changed() {
  loop_.post([this] { mesh_->set_credentials(mesh_credentials(*credentials_())); });
}

void AgentRole::leave(agent::StopLimits limits) {
  // Shared: the answer may come after this has given up.
  auto left = std::make_shared<std::promise<void>>();
  Duration limit{};
  run_on(loop_, [&] {
    limit = agent_->longest_stop(limits) + kRemoveLimit;
    agent_->leave(limits, [left] { left->set_value(); });
  });
  if (left->get_future().wait_for(limit) != std::future_status::ready) {
    log::error("not all tasks could be removed before the node left the swarm",
               {{"runtime", runtime_}, {"after", format_duration(limit)}});
  }
  end_mesh(loop_, *mesh_, mesh_launcher_.get());
  stop();
}

void end_mesh(AsioLoop& loop, mesh::MeshClient& mesh, const mesh::MeshLauncher* launched) {
  auto ended = std::make_shared<std::promise<void>>();
  loop.post([&mesh, ended] { mesh.shut_down([ended] { ended->set_value(); }); });
  ended->get_future().wait();  // bounded by kShutDownLimit
  run_on(loop, [&mesh, launched] {
    // One that was only just started, or is stuck, has not heard of it.
    for (const platform::ProcessId* process : {launched == nullptr ? nullptr : launched->process(),
                                               mesh.process() ? &*mesh.process() : nullptr}) {
      if (process != nullptr && platform::is_alive(*process)) {
        const Status killed = platform::kill_process(*process);
        log::warning("mesh process killed", {{"pid", process->pid}, {"status", killed.ToString()}});
      }
    }
  });
}

void AgentRole::look_at_node() {
  const auto tell = [this](model::ConditionKind kind, std::string trouble) {
    agent_->set_condition(kind, std::move(trouble));
  };
  if (const auto space = platform::disk_space(directory_); space.ok()) {
    tell(model::ConditionKind::disk, disk_trouble(directory_, *space));
  } else {
    tell(model::ConditionKind::disk, std::string(space.status().message()));
  }
  std::string trouble;
  if (const auto own = platform::descriptor_use(platform::current_process().pid); own.ok()) {
    trouble = descriptor_trouble("swarmd", *own);
  }
  if (trouble.empty() && mesh_->process()) {
    // A mesh that is being replaced has none to count.
    const auto use = platform::descriptor_use(mesh_->process()->pid);
    trouble = use.ok() ? descriptor_trouble("the mesh", *use) : "";
  }
  tell(model::ConditionKind::descriptors, std::move(trouble));
  health_timer_.set_after(kHealthPeriod, [this] { look_at_node(); });
}

void AgentRole::announce_restart() {
  auto known = std::make_shared<std::promise<void>>();
  loop_.post([this, known] { agent_->announce_restart([known] { known->set_value(); }); });
  known->get_future().wait();  // bounded by kRestartingLimit
}

void AgentRole::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  run_on(loop_, [this] {
    health_timer_.cancel();
    agent_.reset();
    client_.reset();
    mesh_.reset();
    mesh_launcher_.reset();
    executor_.reset();
  });
  loop_.stop();
}

}  // namespace swarm::manager
