#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "api/credentials_source.h"
#include "base/asio_loop.h"
#include "base/file_system.h"
#include "base/result.h"
#include "manager/assignment_file.h"
#include "manager/node_record.h"
#include "mesh/proxy/mesh_client.h"

namespace swarm::manager {

struct AgentRoleOptions {
  std::string runtime = "auto";  // "auto", "docker" or "process"
  std::filesystem::path docker_socket = "/var/run/docker.sock";
  std::vector<std::filesystem::path> bundles;  // searched besides the state folder's own
  uint16_t mesh_port = 7946;
  std::string version;
};

// Everything a node runs because it is in a swarm: the agent with its loop and thread, the runtime,
// and the hold on the mesh. Owned by the node's lifecycle loop.
class AgentRole {
 public:
  struct Handlers {
    // All on the agent's loop.
    std::function<void(const model::ManagerList&)> on_managers;
    std::function<void(model::Role)> on_role;
    std::function<void()> on_removed;
  };

  static Result<std::unique_ptr<AgentRole>> start(const AgentRoleOptions& options,
                                                  const NodeRecord& record,
                                                  const std::filesystem::path& directory,
                                                  FileSystem& files,
                                                  api::CredentialsSource credentials,
                                                  Handlers handlers);
  ~AgentRole();

  // As of NodeDescription; the leader is told.
  void set_manager_refusal(const std::string& reason);
  // The certificate was renewed: the mesh gets it too.
  void credentials_changed();
  // Drains, stops and removes every task, then ends the mesh. Blocking.
  void leave(agent::StopLimits limits = {});
  // Leaves tasks and mesh as they are.
  void stop();

  const std::string& runtime() const { return runtime_; }

 private:
  AgentRole(AssignmentFile store, api::CredentialsSource credentials);

  std::string runtime_;
  AssignmentFile store_;
  api::CredentialsSource credentials_;
  AsioLoop loop_{"agent"};
  std::unique_ptr<agent::Executor> executor_;
  std::unique_ptr<mesh::MeshClient> mesh_;
  std::unique_ptr<agent::DispatcherClient> client_;
  std::unique_ptr<agent::Agent> agent_;
  bool is_stopped_ = false;
};

}  // namespace swarm::manager
