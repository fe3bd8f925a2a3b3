#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/client/client.h"
#include "api/client/local_node.h"
#include "base/asio_loop.h"
#include "base/event_loop.h"
#include "base/fault_counter.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "manager/agent_role.h"
#include "manager/enter_swarm.h"
#include "manager/manager_role.h"
#include "manager/node_record.h"
#include "manager/runtime_choice.h"
#include "model/cluster.h"
#include "security/identity.h"

namespace swarm::api {
class Server;
}

namespace swarm::manager {

struct NodeOptions {
  std::filesystem::path state_directory;
  std::filesystem::path socket;
  AgentRoleOptions agent;
  std::string version;
  // What `swarm init --cert-expiry` may ask for at least.
  Duration min_certificate_validity = model::kMinCertificateValidity;
};

// One machine of a swarm, or of none yet: its membership on disk, its agent, and its manager while
// it has that role. Answers the local socket.
//
// What changes the membership (init, join, leave, promotion, demotion) runs one after another on
// the lifecycle loop and may block there; everything the socket's threads may ask is under one
// small mutex.
class Node final : public api::LocalNode {
 public:
  // Takes the lock of the state folder. FAILED_PRECONDITION when another swarmd has it.
  static Result<std::unique_ptr<Node>> open(NodeOptions options, FileSystem& files);
  ~Node() override;

  // Opens the local socket and resumes the membership there is. Off the lifecycle loop.
  Status start();
  // Stops everything but the tasks and the mesh, which go on. Off the lifecycle loop.
  void stop();

  // api::LocalNode, from any thread.
  Info info() const override;
  void init(InitOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) override;
  void join(JoinOptions options, absl::AnyInvocable<void(Result<model::Role>)> done) override;
  void leave(bool force, absl::AnyInvocable<void(Status)> done) override;
  void backup(std::string file, absl::AnyInvocable<void(Result<BackedUp>)> done) override;
  void restore(RestoreOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) override;
  std::shared_ptr<api::Gateway> gateway() override;

 private:
  struct Membership {
    NodeRecord record;
    security::NodeCredentials credentials;
  };

  Node(NodeOptions options, FileSystem& files);

  // On the lifecycle loop.
  Result<Initialized> init_here(const InitOptions& options);
  Result<model::Role> join_here(const JoinOptions& options);
  Status leave_here(bool force);
  // node_recovery.cpp
  Result<Initialized> force_new_cluster(const InitOptions& options);
  Result<BackedUp> backup_here(const std::string& file);
  Result<Initialized> restore_here(const RestoreOptions& options);
  // What the survivor will be; refused where nothing is to be recovered.
  Result<NodeRecord> survivor_record(const InitOptions& options);
  Status restart_manager(const NodeRecord& record, ManagerRole::Start start);
  Result<Manager::CommittedState> read_committed();
  Status resume();
  // The membership of the state folder. NOT_FOUND when there is none; any other error: there is one
  // that cannot be taken up.
  Result<Membership> load_membership();
  // Before anything of a membership is written: what the node needs of its machine.
  Result<RuntimeChoice> prepare_entry(const SwarmAddresses& addresses) const;
  Result<RuntimeChoice> decide_runtime() const;
  // What was decided holds, whatever answers now.
  Status resume_runtime(NodeRecord& record);
  Status check_not_member() const;
  // Why there is no membership to act on.
  Status not_a_member() const;
  // Everything in the state folder that belongs to a membership.
  Status clear_membership();
  // A node that did not get in is as it was before.
  Status undo_entry();

  Status start_server(const NodeRecord& record);
  void stop_server();
  Status start_manager(const NodeRecord& record, ManagerRole::Start start);
  // Everything of a swarm whose only manager this node is. Undone on error.
  Result<Initialized> enter_as_only_manager(NewSwarm swarm, ManagerRole::Start::Kind kind);
  void stop_manager();
  // node_refusal.cpp
  void refuse_to_serve(const Status& reason);
  std::string manager_refusal() const;
  void forget_refusal();
  Status not_serving() const;
  // The membership in the state folder cannot be taken up again: nothing of it is touched.
  void refuse_to_work(const Status& reason);
  std::string membership_fault() const;
  // Gives that membership up: ends what runs of it and deletes its files.
  Status give_up_membership();
  Status join_group(NodeRecord& record);
  Result<std::vector<api::Client::NodeView>> list_nodes(const NodeRecord& self) const;
  bool is_out_of_group(const NodeRecord& self) const;
  // The managers of the swarm, as one of them lists them.
  std::vector<raft::Member> find_members(const NodeRecord& record) const;
  Status start_agent(const NodeRecord& record);
  // Waits until this node leads and its first transaction is committed, at most kStartLimit.
  Status await_own_leadership();
  // Waits until the swarm has a leader, at most kStartLimit.
  Status await_leader();
  // Whether this manager may leave without `force`; never, with the reason.
  Status refuse_to_leave() const;
  // Leaves the Raft group while the rest can still agree to it.
  void leave_group();

  // node_removal.cpp
  // The managers have removed this node: it leaves on its own side, tasks and mesh in bounded time.
  void leave_removed(const model::NodeId& node);
  void remember_removal(const model::SwarmId& swarm);
  void recall_removal();
  void forget_removal();

  void adopt(NodeRecord record, security::NodeCredentials credentials);
  Status save(const NodeRecord& record);
  void remember_managers(const model::ManagerList& managers);
  void change_role(model::Role role);
  // A new certificate for that role, in use everywhere from now on without a restart of anything.
  // FAILED_PRECONDITION when the swarm wants the node in the other role.
  Status renew_certificate(model::Role role);
  // Looks now and then whether the certificate is to be renewed because of its age.
  void schedule_renewal();
  void renew_by_age();
  void log_renewal_failure(const Status& failure, bool is_expired);
  Status promote(NodeRecord& record);
  Status remove_raft_state();
  Status remove_raft_state_unless_of(model::MemberId member);

  std::shared_ptr<const security::NodeCredentials> credentials() const;
  NodeRecord record() const;

  const NodeOptions options_;
  FileSystem& files_;
  Random random_;
  AsioLoop lifecycle_{"lifecycle"};
  bool is_started_ = false;
  bool is_stopped_ = false;

  // ---- owned by the lifecycle loop ----
  std::unique_ptr<ManagerRole> manager_;
  std::unique_ptr<AgentRole> agent_;
  std::unique_ptr<api::Server> swarm_server_;
  std::unique_ptr<api::Server> local_server_;
  Timer renewal_{lifecycle_};
  WallTime renewal_at_;
  FaultCounter renewal_faults_;

  // ---- shared ----
  mutable std::mutex mutex_;
  NodeRecord record_;
  std::shared_ptr<const security::NodeCredentials> credentials_;
  std::shared_ptr<ManagerGateway> gateway_;
  std::string manager_refusal_;   // not empty: a manager by role that takes no part
  std::string membership_fault_;  // not empty: as of Info
  std::string notice_;            // that this node was removed; until it is in a swarm again

  struct Lock;
  std::unique_ptr<Lock> lock_;
};

}  // namespace swarm::manager
