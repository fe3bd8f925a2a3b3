#include "unit/api/fake_manager.h"

#include <future>

#include "base/check.h"
#include "control/context.h"
#include "control/swarm.h"
#include "platform/tcp_handle.h"
#include "security/tls/certificate.h"

namespace swarm::api {

namespace {

constexpr WallTime kNow(seconds(1'800'000'000));

model::Node first_node() {
  model::Node node;
  node.id = model::NodeId("n1");
  node.description.hostname = "host1";
  node.status.state = model::NodeState::ready;
  node.manager = model::ManagerStatus{.member = model::MemberId(1), .address = "127.0.0.1:2377"};
  return node;
}

}  // namespace

FakeManager::FakeManager(const TestSwarm& swarm) : swarm_(swarm) {
  store_.lead(proposer_);
  model::Cluster cluster;
  cluster.id = swarm.id();
  cluster.ca_certificate = swarm.root().certificate;
  cluster.ca_key = swarm.root().key;
  cluster.worker_token_secret = std::string(25, 'w');
  cluster.manager_token_secret = std::string(25, 'm');
  auto changes =
      control::create_cluster({store_.view(), kNow, random_}, std::move(cluster), first_node());
  SWARM_CHECK(changes.ok(), std::string(changes.status().message()));
  const Status status = commit(*std::move(changes));
  SWARM_CHECK(status.ok(), std::string(status.message()));
  begin_peers();
  peer_loop_.start();
}

void FakeManager::begin_peers() {
  peers_ = std::make_unique<PeerTransport>(
      peer_loop_, raft::MemberId(1), swarm_.source("n1", model::Role::manager),
      PeerTransport::Events{
          .refused = [](raft::MemberId) {},
          .received =
              [this](raft::MemberId from, std::string message) {
                raft_messages.update([&](auto& all) {
                  all.emplace_back(model::MemberId(from.value()), std::move(message));
                });
              },
          .is_removed = [this](const model::NodeId& node) { return is_removed(node); }});
  intake_ = peers_->intake();
}

void FakeManager::cut_peers() {
  std::promise<void> done;
  peer_loop_.post([&] {
    peers_.reset();
    begin_peers();
    done.set_value();
  });
  done.get_future().wait();
}

FakeManager::~FakeManager() {
  peer_loop_.stop();
}

Status FakeManager::commit(state::ChangeSet changes) {
  SWARM_ASSIGN_OR_RETURN(const model::Position position, store_.commit(std::move(changes), kNow));
  store_.confirm(position);
  return absl::OkStatus();
}

void FakeManager::set_quorum_loss(std::string loss) {
  const std::lock_guard lock(mutex_);
  quorum_loss_ = std::move(loss);
}

std::string FakeManager::quorum_loss() const {
  const std::lock_guard lock(mutex_);
  return quorum_loss_;
}

void FakeManager::set_leader(Leader leader) {
  const std::lock_guard lock(mutex_);
  leader_ = std::move(leader);
}

void FakeManager::remove_node(const std::string& node) {
  const std::lock_guard lock(mutex_);
  removed_.insert(model::NodeId(node));
}

void FakeManager::keep_calls() {
  const std::lock_guard lock(mutex_);
  keeps_calls_ = true;
}

void FakeManager::keep_answers() {
  const std::lock_guard lock(mutex_);
  keeps_answers_ = true;
}

void FakeManager::answer_kept() {
  std::vector<Done> answers;
  {
    const std::lock_guard lock(mutex_);
    answers = std::move(kept_calls_);
    keeps_calls_ = keeps_answers_ = false;
  }
  for (Done& done : answers) {
    done(absl::UnavailableError("leadership was lost"));
  }
}

void FakeManager::set_soft_status(const model::TaskId& task, model::TaskStatus status) {
  const std::lock_guard lock(mutex_);
  soft_[task] = std::move(status);
}

void FakeManager::change(const std::function<void(state::ChangeSet&)>& change) {
  const std::lock_guard lock(mutex_);
  state::ChangeSet changes;
  change(changes);
  const Status status = commit(std::move(changes));
  SWARM_CHECK(status.ok(), std::string(status.message()));
}

Gateway::Leader FakeManager::leader() const {
  const std::lock_guard lock(mutex_);
  return leader_;
}

void FakeManager::write_once(model::RequestId request, Write use_case, Read recall, Done done) {
  requests.update([&](auto& all) { all.push_back(request); });
  Status status;
  {
    const std::lock_guard lock(mutex_);
    if (!keeps_calls_) {
      status = carry_out(request, use_case, recall);
    }
    if (keeps_calls_ || keeps_answers_) {
      kept_calls_.push_back(std::move(done));
      kept.update([](int& count) { ++count; });
      return;
    }
  }
  done(status);
}

Status FakeManager::carry_out(const model::RequestId& request, Write& use_case, Read& recall) {
  SWARM_ASSIGN_OR_RETURN(const auto carried, store_.find_request(request));
  if (carried.has_value()) {
    return recall(store_.view());
  }
  SWARM_ASSIGN_OR_RETURN(state::ChangeSet changes, use_case(store_.view(), kNow, random_));
  changes.request = request.number;
  return commit(std::move(changes));
}

model::Position FakeManager::committed() const {
  const std::lock_guard lock(mutex_);
  return store_.committed();
}

void FakeManager::read(Read query, Done done) {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    if (keeps_calls_) {
      kept_calls_.push_back(std::move(done));
      kept.update([](int& count) { ++count; });
      return;
    }
    status = query(store_.view());
  }
  done(status);
}

void FakeManager::stale_read(Read query, Done done) {
  read(std::move(query), std::move(done));
}

void FakeManager::open_session(
    model::NodeId node, std::string address, std::unique_ptr<dispatcher::SessionSink> sink,
    absl::AnyInvocable<void(Result<std::unique_ptr<AgentSession>>)> done) {
  class Opened final : public AgentSession {
   public:
    Opened(FakeManager& manager, size_t index) : manager_(manager), index_(index) {}
    ~Opened() override {
      std::shared_ptr<dispatcher::SessionSink> sink;  // dropped outside of the lock
      manager_.sessions.update([&](std::vector<Session>& all) {
        all[index_].is_gone = true;
        sink = std::move(all[index_].sink);
      });
    }
    void receive(model::AgentUpMessage message) override {
      manager_.sessions.update(
          [&](std::vector<Session>& all) { all[index_].received.push_back(std::move(message)); });
    }

   private:
    FakeManager& manager_;
    const size_t index_;
  };

  if (!leader().is_self) {
    done(absl::FailedPreconditionError("this manager does not lead the swarm"));
    return;
  }
  size_t index = 0;
  std::shared_ptr<dispatcher::SessionSink> shared = std::move(sink);
  sessions.update([&](std::vector<Session>& all) {
    index = all.size();
    all.push_back({.node = node, .address = address, .sink = shared, .received = {}});
  });
  done(std::make_unique<Opened>(*this, index));
}

void FakeManager::accept_peer(platform::TcpHandle connection) {
  intake_(std::move(connection));
}

void FakeManager::join_raft(model::NodeId node, std::string address,
                            absl::AnyInvocable<void(Result<Joined>)> done) {
  joins.update([&](auto& all) { all.emplace_back(node.value(), address); });
  done(Joined{.member = model::MemberId(7)});
}

void FakeManager::leave_raft(model::NodeId node, Done done) {
  leaves.update([&](auto& all) { all.push_back(node.value()); });
  done(absl::OkStatus());
}

void FakeManager::issue_certificate(std::string token_secret, std::string csr_pem,
                                    model::Availability availability,
                                    absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  shown_secrets.update([&](auto& all) { all.push_back(token_secret); });
  joined_as.update([&](auto& all) { all.push_back(availability); });
  if (token_secret != std::string(25, 'w')) {
    done(absl::PermissionDeniedError("the join token is not valid (any more)"));
    return;
  }
  done(IssuedCertificate{.node = model::NodeId("n9"),
                         .swarm = swarm_.id(),
                         .role = model::Role::worker,
                         .certificate = swarm_.sign(csr_pem, "n9", model::Role::worker)});
}

void FakeManager::renew_certificate(model::NodeId node, std::string csr_pem,
                                    absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  renewals.update([&](auto& all) { all.push_back(node.value()); });
  if (csr_pem.empty()) {
    done(absl::InvalidArgumentError("this is not a certificate request"));
    return;
  }
  done(IssuedCertificate{.node = node,
                         .swarm = swarm_.id(),
                         .role = model::Role::manager,
                         .certificate = swarm_.sign(csr_pem, node.value(), model::Role::manager)});
}

void FakeManager::renew_expired_certificate(
    std::string certificate_pem, std::string csr_pem,
    absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  const Result<security::PeerIdentity> identity = security::identity_of(certificate_pem);
  if (!identity.ok()) {
    done(identity.status());
    return;
  }
  renew_certificate(identity->node, std::move(csr_pem), std::move(done));
}

bool FakeManager::is_removed(const model::NodeId& node) const {
  const std::lock_guard lock(mutex_);
  return removed_.contains(node);
}

void FakeManager::ask_reachability(absl::AnyInvocable<void(ManagerReachability)> done) {
  done({.leader = model::MemberId(1), .reachable = {}});
}

// Called inside a Read, which holds the mutex.
const model::TaskStatus* FakeManager::soft_status(const model::TaskId& task) const {
  const auto found = soft_.find(task);
  return found == soft_.end() ? nullptr : &found->second;
}

void FakeNode::init(InitOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) {
  inits.update([&](auto& all) { all.push_back(std::move(options)); });
  done(init_result);
}

void FakeNode::join(JoinOptions options, absl::AnyInvocable<void(Result<model::Role>)> done) {
  joins.update([&](auto& all) { all.push_back(std::move(options)); });
  done(join_result);
}

void FakeNode::leave(bool force, absl::AnyInvocable<void(Status)> done) {
  leaves.update([&](auto& all) { all.push_back(force); });
  done(leave_result);
}

void FakeNode::backup(std::string file, absl::AnyInvocable<void(Result<BackedUp>)> done) {
  backups.update([&](auto& all) { all.push_back(std::move(file)); });
  done(backup_result);
}

void FakeNode::restore(RestoreOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) {
  restores.update([&](auto& all) { all.push_back(std::move(options)); });
  done(restore_result);
}

std::unique_ptr<FakeNode> make_manager_node(std::shared_ptr<Gateway> manager) {
  auto node = std::make_unique<FakeNode>();
  node->described.is_member = true;
  node->described.node = model::NodeId("n1");
  node->described.role = model::Role::manager;
  node->described.hostname = "host1";
  node->manager = std::move(manager);
  return node;
}

std::unique_ptr<Server> serve(FakeNode& node, CredentialsSource credentials,
                              const std::string& address) {
  return Server::listen_network(node, address, std::move(credentials)).value();
}

std::string address_of(const Server& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

}  // namespace swarm::api
