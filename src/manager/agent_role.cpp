#include "manager/agent_role.h"

#include <future>
#include <utility>

#include "api/agent_client.h"
#include "base/log.h"
#include "manager/address.h"
#include "manager/run_on.h"
#include "mesh/proxy/mesh_launcher.h"
#include "mesh/proxy/mesh_options.h"
#include "platform/host.h"
#include "runtime/docker/docker_executor.h"
#include "runtime/process/process_executor.h"

namespace swarm::manager {

namespace {

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

std::unique_ptr<agent::Executor> make_executor(const std::string& runtime,
                                               const AgentRoleOptions& options,
                                               const std::filesystem::path& directory,
                                               AsioLoop& loop) {
  if (runtime == "docker") {
    runtime::DockerOptions docker;
    docker.socket = options.docker_socket.string();
    return std::make_unique<runtime::DockerExecutor>(loop, std::move(docker));
  }
  runtime::ProcessOptions process;
  process.state_directory = directory;
  process.bundle_directories = options.bundles;
  process.shim_command = {platform::program_path().string(), "task-shim"};
  process.version = options.version;
  return std::make_unique<runtime::ProcessExecutor>(loop, std::move(process));
}

// Whether an engine answers on the socket. Off the loop.
bool has_engine(const AgentRoleOptions& options, AsioLoop& loop) {
  std::unique_ptr<agent::Executor> engine;
  std::promise<bool> answered;
  loop.post([&] {
    engine = make_executor("docker", options, {}, loop);
    engine->describe([&answered](const Result<agent::EngineDescription>& description) {
      answered.set_value(description.ok());
    });
  });
  const bool has_one = answered.get_future().get();
  run_on(loop, [&engine] { engine.reset(); });
  return has_one;
}

}  // namespace

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
  role->runtime_ = options.runtime;
  if (options.runtime == "auto") {
    role->runtime_ = has_engine(options, role->loop_) ? "docker" : "process";
  }
  agent::Agent::Options agent_options;
  agent_options.node = record.node;
  agent_options.swarm = record.swarm;
  agent_options.managers.addresses = record.managers;
  agent_options.self.hostname = platform::host_name();
  agent_options.self.os = platform::operating_system();
  agent_options.self.architecture = platform::architecture();
  agent_options.self.version = options.version;
  agent_options.self.mesh_address = advertise.text();

  run_on(role->loop_, [&] {
    AsioLoop& loop = role->loop_;
    role->executor_ = make_executor(role->runtime_, options, directory, loop);
    const mesh::MeshClient::Options client{mesh.control_socket, record.swarm, record.node};
    role->mesh_ = std::make_unique<mesh::MeshClient>(
        loop, client,
        mesh::make_mesh_launcher(loop, platform::program_path(), mesh, directory / "mesh.log"));
    role->mesh_->set_credentials(mesh_credentials(*role->credentials_()));
    role->mesh_->start();
    role->client_ = api::make_dispatcher_client(loop, role->credentials_);
    role->agent_ = std::make_unique<agent::Agent>(
        std::move(agent_options),
        agent::Agent::Handlers{std::move(handlers.on_managers), std::move(handlers.on_role),
                               std::move(handlers.on_removed)},
        loop, role->store_, *role->executor_, *role->mesh_, *role->client_, Random::from_system());
    role->agent_->start();
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
  std::promise<void> left;
  loop_.post([&] { agent_->leave(limits, [&left] { left.set_value(); }); });
  left.get_future().wait();
  std::promise<void> ended;
  loop_.post([&] { mesh_->shut_down([&ended] { ended.set_value(); }); });
  ended.get_future().wait();
  stop();
}

void AgentRole::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  run_on(loop_, [this] {
    agent_.reset();
    client_.reset();
    mesh_.reset();
    executor_.reset();
  });
  loop_.stop();
}

}  // namespace swarm::manager
