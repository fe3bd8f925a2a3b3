#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/client/client.h"

namespace swarm::cli {

// The time all fakes live at, and offsets from it.
inline constexpr WallTime kNow{std::chrono::hours(24 * 365 * 56)};

// A swarm in memory behind the client interface: enough of the server's rules that a command can be
// seen through what it leaves behind. Tasks move only when a test moves them.
class FakeSwarm : public api::Client {
 public:
  // ---- state, for tests to arrange ----
  std::vector<ServiceSummary> services;
  std::vector<TaskView> tasks;
  std::vector<NodeView> nodes;
  std::vector<RevisionView> revisions;
  api::LocalNode::Info local{.version = "0.1.0",
                             .is_member = true,
                             .node = model::NodeId("node1aaaaaaaaaaaaaaaaaaaa"),
                             .swarm = model::SwarmId("swarm1"),
                             .role = model::Role::manager,
                             .is_leader = true,
                             .leader_address = "10.0.0.1:2377",
                             .advertise_address = "10.0.0.1:2377",
                             .runtime = "process",
                             .hostname = "alpha",
                             .manager_refusal = {},
                             .membership_fault = {},
                             .notice = {}};
  Status failure;                 // every call gives this until it is OK again
  Status mutation_failure;        // only calls that change something
  std::string promotion_refusal;  // why no node becomes a manager, unless empty
  int changes_meanwhile = 0;  // so many times what was read to be edited changes before the write

  // ---- what was asked, for tests to look at ----
  api::LocalNode::InitOptions init_options;
  api::LocalNode::JoinOptions join_options;
  std::optional<model::RevisionNumber> rolled_back_to;
  bool was_rotated = false;
  int polls = 0;  // reads of one service

  ServiceSummary& service(const std::string& reference);
  NodeView& node(const std::string& reference);
  // Adds a task of the service's current revision.
  TaskView& add_task(const std::string& service, model::Slot slot, model::TaskState state);

  Result<api::LocalNode::Info> info() override;
  Result<api::LocalNode::Initialized> init(const api::LocalNode::InitOptions& options) override;
  Result<model::Role> join(const api::LocalNode::JoinOptions& options) override;
  Status leave(bool force) override;
  Result<api::LocalNode::BackedUp> backup(const std::string& file) override;
  Result<api::LocalNode::Initialized> restore(
      const api::LocalNode::RestoreOptions& options) override;
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
  // As if a manager wrote to it, if the test wants that.
  void change_meanwhile(model::Meta& stored);
  Status may_change() const { return failure.ok() ? mutation_failure : failure; }
  ServiceSummary* find(const std::string& reference);
  NodeView* find_node(const std::string& reference);
};

// Three nodes, a service `web` of three running tasks and a service `api` in trouble.
void fill_with_sample(FakeSwarm& swarm);

}  // namespace swarm::cli
