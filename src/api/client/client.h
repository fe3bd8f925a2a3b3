#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/client/local_node.h"
#include "base/result.h"
#include "base/time.h"
#include "model/cluster.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

namespace swarm::api {

// The control API as swarmctl sees it: blocking calls on the local socket
// ("unix:/run/swarmd/swarmd.sock"), each with the deadline given at construction. References are
// what a person typed: id, name or unique prefix. Errors are the server's, ready to print.
class Client {
 public:
  // A published port of the service that a node should serve but does not.
  struct ClosedPort {
    model::NodeId node;
    std::string node_hostname;
    model::PublishedPort port;
    std::string reason;
  };
  struct ServiceSummary {
    model::Service service;
    model::TaskTemplate task;  // of the revision it is at
    uint64_t running = 0;
    uint64_t desired = 0;
    std::vector<ClosedPort> closed_ports;  // the first few

    model::ServiceSpec spec() const { return {service.settings, task}; }
  };
  struct TaskView {
    model::Task task;  // status: the newest known, soft progress included
    std::string service_name;
    std::string image;
    std::string node_hostname;
    std::vector<model::PublishedPort> ports;
    std::string node_trouble;  // of its node, as far as the task suffers from it
    std::optional<model::TaskWait> wait;
  };
  struct NodeView {
    model::Node node;
    bool is_leader = false;
    bool is_reachable = false;  // of managers
    bool is_self = false;
    model::Resources reserved;  // by tasks placed on it
  };
  struct RevisionView {
    model::Revision revision;
    bool is_current = false;
    bool is_previous = false;
    uint64_t running = 0;  // tasks of it
  };
  struct SwarmView {
    model::Cluster cluster;  // without the CA key and the token secrets
    uint64_t managers = 0;
    uint64_t workers = 0;
  };
  struct TaskFilter {
    std::vector<std::string> services;  // references; empty: all
    std::vector<std::string> nodes;     // references, "self"; empty: all
  };

  // Connecting is lazy: the first call says when nobody listens, and how to start swarmd.
  static std::unique_ptr<Client> connect(const std::string& endpoint, Duration deadline);
  virtual ~Client() = default;

  virtual Result<LocalNode::Info> info() = 0;
  virtual Result<LocalNode::Initialized> init(const LocalNode::InitOptions& options) = 0;
  virtual Result<model::Role> join(const LocalNode::JoinOptions& options) = 0;
  virtual Status leave(bool force) = 0;
  virtual Result<LocalNode::BackedUp> backup(const std::string& file) = 0;
  virtual Result<LocalNode::Initialized> restore(const LocalNode::RestoreOptions& options) = 0;

  virtual Result<SwarmView> inspect_swarm() = 0;
  struct JoinToken {
    std::string token;
    std::string manager_address;
  };
  virtual Result<JoinToken> join_token(model::Role role, bool rotate) = 0;

  virtual Result<std::vector<NodeView>> list_nodes() = 0;
  virtual Result<NodeView> get_node(const std::string& reference) = 0;  // "self" too
  // `version` must be the stored one.
  virtual Status update_node(const model::NodeId& node, model::Position version,
                             const model::NodeSpec& spec) = 0;
  virtual Status remove_node(const std::string& reference, bool force) = 0;

  virtual Result<model::ServiceId> create_service(const model::ServiceSpec& spec) = 0;
  virtual Result<ServiceSummary> get_service(const std::string& reference) = 0;
  virtual Result<std::vector<ServiceSummary>> list_services() = 0;
  // Returns the revision that was written, or the one it stays at.
  virtual Result<model::RevisionNumber> update_service(const model::ServiceId& service,
                                                       model::Position version,
                                                       const model::ServiceSpec& spec) = 0;
  // To the revision that converged last before this one, or to revision `to`. Returns that
  // revision.
  virtual Result<model::RevisionNumber> rollback_service(
      const std::string& reference, std::optional<model::RevisionNumber> to) = 0;
  virtual Status scale_service(const std::string& reference, uint64_t replicas) = 0;
  virtual Status remove_service(const std::string& reference) = 0;
  virtual Result<std::vector<RevisionView>> history(const std::string& reference) = 0;

  // Unknown references come back as NOT_FOUND naming all of them.
  virtual Result<std::vector<TaskView>> list_tasks(const TaskFilter& filter) = 0;
};

}  // namespace swarm::api
