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
#include "manager/runtime_choice.h"
#include "mesh/proxy/mesh_client.h"
#include "mesh/proxy/mesh_launcher.h"

namespace swarm::manager {

struct AgentRoleOptions {
  std::string runtime = "auto";  // "auto", "docker" or "process"
  std::string docker_socket;  // as engine_sockets understands it; empty: where engines have theirs
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
  // Drains, stops and removes every task, then ends the mesh. Blocking, for as long as the tasks
  // may take to stop: what an engine that does not answer leaves behind is logged.
  void leave(agent::StopLimits limits = {});
  // Tells the manager that the daemon will be back, if it can be told.
  void announce_restart();
  // Leaves tasks and mesh as they are.
  void stop();

  const std::string& runtime() const { return runtime_; }

 private:
  // Measures what the agent cannot see: disk and descriptors.
  void look_at_node();

  AgentRole(AssignmentFile store, api::CredentialsSource credentials);

  std::string runtime_;
  AssignmentFile store_;
  api::CredentialsSource credentials_;
  AsioLoop loop_{"agent"};
  std::unique_ptr<agent::Executor> executor_;
  std::unique_ptr<mesh::MeshLauncher> mesh_launcher_;
  std::unique_ptr<mesh::MeshClient> mesh_;
  std::unique_ptr<agent::DispatcherClient> client_;
  std::unique_ptr<agent::Agent> agent_;
  std::filesystem::path directory_;
  Timer health_timer_{loop_};
  bool is_stopped_ = false;
};

// What runs the tasks of the node that is `record`'s. On the loop, also its end.
std::unique_ptr<agent::Executor> make_executor(const NodeRecord& record,
                                               const AgentRoleOptions& options,
                                               const std::filesystem::path& directory,
                                               AsioLoop& loop);

// No mesh of ours is left when it returns: neither the one that `mesh` finds nor `launched`, which
// may be null. Blocking; not on the loop.
void end_mesh(AsioLoop& loop, mesh::MeshClient& mesh, const mesh::MeshLauncher* launched);

// Whether an engine answers on the socket. Blocking, for some seconds at most.
EngineAnswer probe_engine(const std::string& socket);

}  // namespace swarm::manager
