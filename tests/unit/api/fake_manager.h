#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/client/local_node.h"
#include "api/gateway.h"
#include "api/peer_transport.h"
#include "api/server.h"
#include "base/asio_loop.h"
#include "state/proposer.h"
#include "state/store.h"
#include "unit/api/test_swarm.h"
#include "unit/api/waiting.h"

namespace swarm::api {

// A manager with a real store that commits at once, on the caller's thread. What it is asked beside
// the store is noted for the test.
class FakeManager final : public Gateway {
 public:
  // The store holds the swarm and its node "n1", hostname "host1", member 1.
  explicit FakeManager(const TestSwarm& swarm);
  ~FakeManager() override;

  // ---- what the test sets ----

  void set_leader(Leader leader);
  void set_quorum_loss(std::string loss);
  void remove_node(const std::string& node);
  // The connections of peers end, as when the process does. Without a server that lets others in.
  void cut_peers();
  // From now on calls are kept unanswered. `answer_kept` answers them with an error.
  void keep_calls();
  // The same, but what a write asks for is done at once.
  void keep_answers();
  void answer_kept();
  void set_soft_status(const model::TaskId& task, model::TaskStatus status);
  // Runs `change` on the store as a transaction.
  void change(const std::function<void(state::ChangeSet&)>& change);

  // ---- what the test sees ----

  struct Session {
    model::NodeId node;
    std::string address;
    std::shared_ptr<dispatcher::SessionSink> sink;  // null once the stream is gone
    std::vector<model::AgentUpMessage> received;
    bool is_gone = false;
  };
  Watched<std::vector<Session>> sessions;
  Watched<std::vector<std::pair<model::MemberId, std::string>>> raft_messages;
  Watched<std::vector<std::pair<std::string, std::string>>> joins;  // node, address
  Watched<std::vector<std::string>> leaves;
  Watched<std::vector<std::string>> shown_secrets;
  Watched<std::vector<model::Availability>> joined_as;
  Watched<std::vector<std::string>> renewals;  // nodes
  Watched<int> kept;
  Watched<std::vector<model::RequestId>> requests;  // of all writes

  // ---- Gateway ----

  Leader leader() const override;
  std::string quorum_loss() const override;
  void write_once(model::RequestId request, Write use_case, Read recall, Done done) override;
  model::Position committed() const override;
  void read(Read query, Done done) override;
  void stale_read(Read query, Done done) override;
  void open_session(model::NodeId node, std::string address,
                    std::unique_ptr<dispatcher::SessionSink> sink,
                    absl::AnyInvocable<void(Result<std::unique_ptr<AgentSession>>)> done) override;
  void accept_peer(platform::TcpHandle connection) override;
  void join_raft(model::NodeId node, std::string address,
                 absl::AnyInvocable<void(Result<Joined>)> done) override;
  void leave_raft(model::NodeId node, Done done) override;
  void issue_certificate(std::string token_secret, std::string csr_pem,
                         model::Availability availability,
                         absl::AnyInvocable<void(Result<IssuedCertificate>)> done) override;
  void renew_certificate(model::NodeId node, std::string csr_pem,
                         absl::AnyInvocable<void(Result<IssuedCertificate>)> done) override;
  void renew_expired_certificate(std::string certificate_pem, std::string csr_pem,
                                 absl::AnyInvocable<void(Result<IssuedCertificate>)> done) override;
  bool is_removed(const model::NodeId& node) const override;
  void ask_reachability(absl::AnyInvocable<void(ManagerReachability)> done) override;
  const model::TaskStatus* soft_status(const model::TaskId& task) const override;
  bool has_opened(const model::NodeId&, const model::ServiceId&) const override { return true; }

 private:
  class NullProposer final : public state::Proposer {
   public:
    void propose(model::Position, std::string) override {}
  };

  void begin_peers();
  Status commit(state::ChangeSet changes);
  Status carry_out(const model::RequestId& request, Write& use_case, Read& recall);

  const TestSwarm& swarm_;
  mutable std::mutex mutex_;
  Leader leader_{.is_self = true, .address = "127.0.0.1:2377"};
  std::string quorum_loss_;
  std::set<model::NodeId> removed_;
  std::map<model::TaskId, model::TaskStatus> soft_;
  bool keeps_calls_ = false;
  bool keeps_answers_ = false;
  std::vector<Done> kept_calls_;
  NullProposer proposer_;
  state::Store store_;
  Random random_{1};
  AsioLoop peer_loop_{"peers"};
  std::unique_ptr<PeerTransport> peers_;  // on that loop, where messages are received
  PeerTransport::Intake intake_;
};

// A node that is whatever the test says.
class FakeNode final : public LocalNode {
 public:
  // Set before the servers start.
  Info described;
  std::shared_ptr<Gateway> manager;

  Watched<std::vector<InitOptions>> inits;
  Watched<std::vector<JoinOptions>> joins;
  Watched<std::vector<bool>> leaves;
  Watched<std::vector<std::string>> backups;
  Watched<std::vector<RestoreOptions>> restores;
  Result<Initialized> init_result = absl::UnimplementedError("not set");
  Result<model::Role> join_result = absl::UnimplementedError("not set");
  Status leave_result;
  Result<BackedUp> backup_result = BackedUp{};
  Result<Initialized> restore_result = Initialized{};

  Info info() const override { return described; }
  void init(InitOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) override;
  void join(JoinOptions options, absl::AnyInvocable<void(Result<model::Role>)> done) override;
  void leave(bool force, absl::AnyInvocable<void(Status)> done) override;
  void backup(std::string file, absl::AnyInvocable<void(Result<BackedUp>)> done) override;
  void restore(RestoreOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) override;
  std::shared_ptr<Gateway> gateway() override { return manager; }
};

// A node "n1" of the swarm that has this manager.
std::unique_ptr<FakeNode> make_manager_node(std::shared_ptr<Gateway> manager);

// A server of the node on loopback, by default on a port that is free. Throws when it cannot be.
std::unique_ptr<Server> serve(FakeNode& node, CredentialsSource credentials,
                              const std::string& address = "127.0.0.1:0");
std::string address_of(const Server& server);

}  // namespace swarm::api
