#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/client/client.h"
#include "api/client/connection.h"

namespace swarm::api {

// api::Client over gRPC: converts, calls, converts back. In a few files, by service, because the
// generated headers are what takes time to compile.
class GrpcClient final : public Client {
 public:
  explicit GrpcClient(ClientConnection connection) : connection_(std::move(connection)) {}

  Result<LocalNode::Info> info() override;
  Result<LocalNode::Initialized> init(const LocalNode::InitOptions& options) override;
  Result<model::Role> join(const LocalNode::JoinOptions& options) override;
  Status leave(bool force) override;
  Result<LocalNode::BackedUp> backup(const std::string& file) override;
  Result<LocalNode::Initialized> restore(const LocalNode::RestoreOptions& options) override;

  Result<SwarmView> inspect_swarm() override;
  Result<JoinToken> join_token(model::Role role, bool rotate) override;

  Result<std::vector<NodeView>> list_nodes() override;
  Result<NodeView> get_node(const std::string& reference) override;
  Status update_node(const model::NodeId& node, model::Position version,
                     const model::NodeSpec& spec) override;
  Status remove_node(const std::string& reference, bool force) override;

  Result<model::ServiceId> create_service(const model::ServiceSpec& spec) override;
  Result<ServiceSummary> get_service(const std::string& reference) override;
  Result<std::vector<ServiceSummary>> list_services() override;
  Result<model::RevisionNumber> update_service(const model::ServiceId& service,
                                               model::Position version,
                                               const model::ServiceSpec& spec) override;
  Result<model::RevisionNumber> rollback_service(const std::string& reference,
                                                 std::optional<model::RevisionNumber> to) override;
  Status scale_service(const std::string& reference, uint64_t replicas) override;
  Status remove_service(const std::string& reference) override;
  Result<std::vector<RevisionView>> history(const std::string& reference) override;

  Result<std::vector<TaskView>> list_tasks(const TaskFilter& filter) override;

 private:
  ClientConnection connection_;
};

}  // namespace swarm::api
