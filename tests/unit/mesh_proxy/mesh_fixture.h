#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/asio_loop.h"
#include "mesh/proxy/mesh_client.h"
#include "mesh/proxy/mesh_options.h"
#include "mesh/proxy/mesh_server.h"
#include "sockets.h"

namespace swarm::mesh::test {

// A folder that is removed with it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The certificates of one swarm.
class Authority {
 public:
  explicit Authority(std::string swarm = "swarm1");
  Credentials issue(const std::string& node) const;
  const std::string& swarm() const { return swarm_; }

 private:
  const std::string swarm_;
  std::string certificate_;
  std::string key_;
};

// A mesh on a thread of its own, in place of the process it is in production.
class MeshProcess {
 public:
  explicit MeshProcess(const MeshOptions& options);
  ~MeshProcess() { kill(); }

  Status status() const { return status_; }
  bool was_shut_down() const { return was_shut_down_; }
  // All its sockets are gone at once.
  void kill();

 private:
  std::atomic<bool> was_shut_down_ = false;
  std::unique_ptr<AsioLoop> loop_;
  std::unique_ptr<MeshServer> server_;
  Status status_;
};

struct NodeSetup {
  std::string id = "node1";
  std::string swarm = "swarm1";
  std::string host = "127.0.0.1";
  MeshTimeouts timeouts{};
  std::string peer_address{};  // empty: a free one
};

// A node: swarmd's MeshClient on its loop, and the mesh that it starts.
class Node {
 public:
  explicit Node(const NodeSetup& setup = {});
  ~Node();

  const std::string& id() const { return setup_.id; }
  const std::string& host() const { return setup_.host; }
  const std::string& peer_address() const { return options_.peer_address; }

  // ---- swarmd ----
  void start_swarmd();
  void kill_swarmd();
  bool is_connected();
  // The mesh has told swarmd of its listening sockets.
  bool keeps_listeners();
  void set_credentials(const Credentials& credentials);
  void set_table(const model::MeshTable& table);
  void admit(const std::string& task, const std::string& address,
             const std::string& service = "web");
  // Ready when `done` was called.
  std::shared_future<void> retire(const std::string& task, Duration timeout = seconds(60));
  std::shared_future<void> shut_down();
  // Waits until the mesh has done all it was told so far.
  bool settle();
  std::vector<agent::MeshControl::PortProblem> problems();
  agent::MeshControl::PortReport ports();
  // Why the mesh does not run.
  std::string condition();

  // ---- mesh ----
  void kill_mesh();
  bool was_mesh_shut_down();
  size_t launches() const { return launches_; }

 private:
  // Runs on the loop of swarmd, to its end.
  void run(Callback callback);
  Status launch();

  const NodeSetup setup_;
  TemporaryFolder folder_;
  MeshOptions options_;
  std::atomic<size_t> launches_ = 0;
  std::mutex mutex_;
  std::unique_ptr<MeshProcess> mesh_;
  agent::MeshControl::PortReport ports_;
  std::string condition_;
  std::unique_ptr<AsioLoop> loop_;
  std::unique_ptr<MeshClient> client_;
};

bool is_done(const std::shared_future<void>& future);
bool await_done(const std::shared_future<void>& future);

// Service "web": `published` to target 80.
model::MeshTable web_table(model::Position position, uint16_t published,
                           std::vector<model::Endpoint> endpoints = {},
                           model::PublishMode mode = model::PublishMode::ingress);
model::Endpoint endpoint(const std::string& task, const Node& node,
                         model::EndpointState state = model::EndpointState::ready);
uint16_t port_of(const std::string& address);

// Clients that ask without a pause until they are stopped, and count.
class Load {
 public:
  // Each of `addresses` gets a client that connects for every request and one that keeps its
  // connection.
  explicit Load(const std::vector<std::string>& addresses);
  ~Load() { stop(); }

  void stop();
  size_t answered() const { return answered_; }
  size_t failed() const { return failed_; }
  // Every client has asked again since: what was new then has been used.
  bool await_more();

 private:
  void ask(const std::string& address, bool keep, std::atomic<size_t>& count);

  std::atomic<bool> is_stopped_ = false;
  std::atomic<size_t> answered_ = 0;
  std::atomic<size_t> failed_ = 0;
  std::vector<std::unique_ptr<std::atomic<size_t>>> counts_;
  std::vector<std::thread> threads_;
};

}  // namespace swarm::mesh::test
