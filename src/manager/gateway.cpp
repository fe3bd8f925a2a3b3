#include "manager/gateway.h"

#include <set>
#include <utility>

#include "base/log.h"
#include "control/context.h"
#include "control/nodes.h"
#include "control/swarm.h"
#include "manager/reply.h"
#include "platform/tcp_handle.h"

namespace swarm::manager {

namespace {

Status no_leader() {
  return absl::UnavailableError("this manager does not lead the swarm: try again");
}

// One agent's stream. The dispatcher it was opened on may end before it; then it is deaf.
class Session final : public api::Gateway::AgentSession {
 public:
  Session(std::shared_ptr<Manager> manager, std::weak_ptr<LeaderTerm> term, model::SessionId id)
      : manager_(std::move(manager)), term_(std::move(term)), id_(std::move(id)) {}

  ~Session() override {
    manager_->on_control_loop([term = term_, id = id_] {
      if (const auto live = term.lock()) {
        live->dispatcher().stream_closed(id);
      }
    });
  }

  void receive(model::AgentUpMessage message) override {
    manager_->on_control_loop([term = term_, id = id_, message = std::move(message)]() mutable {
      if (const auto live = term.lock()) {
        live->dispatcher().receive(id, std::move(message));
      }
    });
  }

 private:
  std::shared_ptr<Manager> manager_;
  std::weak_ptr<LeaderTerm> term_;
  model::SessionId id_;
};

// Runs `then` with the outcome once what it was computed from is committed.
template <class Then>
void reply_when_committed(Manager& manager, model::Position position, Status outcome, Then then) {
  manager.gate().when_committed(
      position, [outcome = std::move(outcome), then = std::move(then)](Status gate) mutable {
        then(gate.ok() ? std::move(outcome) : std::move(gate));
      });
}

// Commits and runs `then` when that is committed; errors, too, wait for the head they were computed
// from. On the control loop of a leader.
template <class Then>
void commit_then(Manager& manager, Result<state::ChangeSet> changes, Then then) {
  Status outcome = changes.status();
  model::Position position = manager.store().head();
  if (changes.ok()) {
    const Result<model::Position> committed =
        manager.store().commit(*std::move(changes), manager.loop().wall_now());
    outcome = committed.status();
    position = committed.ok() ? *committed : position;
  }
  reply_when_committed(manager, position, std::move(outcome), std::move(then));
}

}  // namespace

ManagerGateway::ManagerGateway(std::shared_ptr<Manager> manager, CertificateSigner& signer,
                               Peers peers)
    : manager_(std::move(manager)), signer_(signer), peers_(std::move(peers)) {}

api::Gateway::Leader ManagerGateway::leader() const {
  const Manager::Leader leader = manager_->leader();
  return {leader.is_self, leader.address};
}

void ManagerGateway::write_once(model::RequestId request, Write use_case, Read recall, Done done) {
  manager_->on_control_loop([manager = manager_, request, use_case = std::move(use_case),
                             recall = std::move(recall),
                             reply = Reply<Status>(std::move(done))]() mutable {
    if (manager->term() == nullptr) {
      reply(no_leader());
      return;
    }
    const Result<std::optional<model::Position>> carried = manager->store().find_request(request);
    if (!carried.ok()) {
      reply(carried.status());
    } else if (carried->has_value()) {
      reply_when_committed(*manager, **carried, recall(manager->store().view()), std::move(reply));
    } else {
      Result<state::ChangeSet> changes =
          use_case(manager->store().view(), manager->loop().wall_now(), manager->random());
      if (changes.ok()) {
        changes->request = request.number;
      }
      commit_then(*manager, std::move(changes), std::move(reply));
    }
  });
}

model::Position ManagerGateway::committed() const {
  return manager_->committed();
}

void ManagerGateway::read(Read query, Done done) {
  manager_->on_control_loop([manager = manager_, query = std::move(query),
                             reply = Reply<Status>(std::move(done))]() mutable {
    if (manager->term() == nullptr) {
      reply(no_leader());
      return;
    }
    manager->confirm_leadership([manager, query = std::move(query),
                                 reply = std::move(reply)](Status confirmed) mutable {
      if (!confirmed.ok() || manager->term() == nullptr) {
        reply(confirmed.ok() ? no_leader() : std::move(confirmed));
        return;
      }
      Status outcome = query(manager->store().view());
      reply_when_committed(*manager, manager->store().head(), std::move(outcome), std::move(reply));
    });
  });
}

void ManagerGateway::stale_read(Read query, Done done) {
  manager_->on_control_loop([manager = manager_, query = std::move(query),
                             reply = Reply<Status>(std::move(done))]() mutable {
    // A leader's head runs ahead of what is committed; a follower's does not.
    Status outcome = query(manager->store().view());
    reply_when_committed(*manager, manager->store().head(), std::move(outcome), std::move(reply));
  });
}

void ManagerGateway::open_session(
    model::NodeId node, std::string address, std::unique_ptr<dispatcher::SessionSink> sink,
    absl::AnyInvocable<void(Result<std::unique_ptr<AgentSession>>)> done) {
  using Opened = Result<std::unique_ptr<AgentSession>>;
  manager_->on_control_loop([manager = manager_, node = std::move(node),
                             address = std::move(address), sink = std::move(sink),
                             reply = Reply<Opened>(std::move(done))]() mutable {
    if (manager->term() == nullptr) {
      reply(absl::FailedPreconditionError("this manager does not lead the swarm"));
      return;
    }
    Result<model::SessionId> session =
        manager->term()->dispatcher().open(node, address, std::move(sink));
    if (!session.ok()) {
      reply(session.status());
      return;
    }
    reply(Opened(std::make_unique<Session>(manager, manager->term(), *std::move(session))));
  });
}

void ManagerGateway::accept_peer(platform::TcpHandle connection) {
  peers_.accept(std::move(connection));
}

namespace {

model::MemberId new_member_id(Manager& manager) {
  const state::ClusterPtr& cluster = manager.store().view().cluster();
  for (;;) {
    const model::MemberId id(manager.random().next() >> 1);
    if (!id.is_empty() && !cluster->removed_members.contains(id)) {
      return id;
    }
  }
}

}  // namespace

namespace {

using Joined = api::Gateway::Joined;

// On the control loop of the leader, once the node is known to answer at `address`.
void add_member(const std::shared_ptr<Manager>& manager, const model::NodeId& node,
                const std::string& address, Reply<Result<Joined>> reply) {
  const state::NodePtr known =
      manager->term() == nullptr ? nullptr : manager->store().view().node(node);
  if (known == nullptr || known->spec.role != model::Role::manager) {
    reply(manager->term() == nullptr
              ? no_leader()
              : absl::PermissionDeniedError("node " + node.value() + " is not to be a manager"));
    return;
  }
  // Recorded first: should this leader fail in between, the node asks again and is given the same
  // member id, so that nobody is left behind in the group.
  const model::MemberId member =
      known->manager.has_value() ? known->manager->member : new_member_id(*manager);
  const state::View view = manager->store().view();
  Result<state::ChangeSet> changes =
      control::record_member({view, manager->loop().wall_now(), manager->random()}, node,
                             model::ManagerStatus{member, address});
  commit_then(*manager, std::move(changes),
              [manager, member, address, reply = std::move(reply)](Status recorded) mutable {
                if (!recorded.ok()) {
                  reply(std::move(recorded));
                  return;
                }
                manager->add_member(raft::Member{raft::MemberId(member.value()), address, true},
                                    [member, reply = std::move(reply)](Status added) mutable {
                                      reply(added.ok() ? Result<Joined>(Joined{member})
                                                       : Result<Joined>(std::move(added)));
                                    });
              });
}

// A member that nobody reaches would count in the quorum and never vote.
void refuse_member(const std::shared_ptr<Manager>& manager, const model::NodeId& node,
                   const std::string& reason, Reply<Result<Joined>> reply) {
  if (manager->term() == nullptr) {
    reply(no_leader());
    return;
  }
  const state::View view = manager->store().view();
  Result<state::ChangeSet> changes = control::give_up_promotion(
      {view, manager->loop().wall_now(), manager->random()}, node, reason);
  commit_then(*manager, std::move(changes),
              [reason, reply = std::move(reply)](Status recorded) mutable {
                reply(recorded.ok() ? absl::FailedPreconditionError(reason) : std::move(recorded));
              });
}

}  // namespace

void ManagerGateway::join_raft(model::NodeId node, std::string address,
                               absl::AnyInvocable<void(Result<Joined>)> done) {
  auto dialled = [manager = manager_, node, address,
                  reply = Reply<Result<Joined>>(std::move(done))](Status reached) mutable {
    manager->on_control_loop([manager, node, address, reached = std::move(reached),
                              reply = std::move(reply)]() mutable {
      if (reached.ok()) {
        add_member(manager, node, address, std::move(reply));
        return;
      }
      refuse_member(manager, node,
                    "the leader cannot reach this manager at " + address + " (" +
                        std::string(reached.message()) +
                        "): give --advertise-addr an address that the other managers can reach, "
                        "and let them through to its port",
                    std::move(reply));
    });
  };
  peers_.dial(address, node, std::move(dialled));
}

void ManagerGateway::leave_raft(model::NodeId node, Done done) {
  // Leaving is a demotion of oneself: the role manager takes the member out of the group.
  manager_->ask_reachable(
      [self = *this, node = std::move(node),
       done = Reply<Status>(std::move(done))](const std::vector<model::MemberId>& members) mutable {
        self.write(
            [node = std::move(node),
             reachable = std::set<model::MemberId>(members.begin(), members.end())](
                const state::View& view, WallTime now, Random& random) -> Result<state::ChangeSet> {
              const state::NodePtr known = view.node(node);
              if (known == nullptr) {
                return absl::NotFoundError("node " + node.value() + " is not part of this swarm");
              }
              model::NodeSpec spec = known->spec;
              spec.role = model::Role::worker;
              return control::update_node({view, now, random}, node, known->meta.version, spec,
                                          reachable);
            },
            std::move(done));
      });
}

namespace {

using Issued = Result<api::Gateway::IssuedCertificate>;

Issued sign(const model::Cluster& cluster, CertificateSigner& signer, const model::NodeId& node,
            model::Role role, const std::string& csr) {
  api::Gateway::IssuedCertificate issued;
  issued.node = node;
  issued.swarm = cluster.id;
  issued.role = role;
  SWARM_ASSIGN_OR_RETURN(issued.certificate, signer.sign(cluster, csr, node, role));
  return issued;
}

// The node's new certificate and the transaction that records it go together: signed first, given
// out when committed.
void sign_and_commit(Manager& manager, CertificateSigner& signer, const model::NodeId& node,
                     model::Role role, const std::string& csr, Result<state::ChangeSet> changes,
                     Reply<Issued> reply) {
  Issued issued = sign(*manager.store().view().cluster(), signer, node, role, csr);
  if (!issued.ok()) {
    changes = issued.status();
  }
  commit_then(manager, std::move(changes),
              [issued = std::move(issued), reply = std::move(reply)](Status recorded) mutable {
                reply(recorded.ok() ? std::move(issued) : Issued(std::move(recorded)));
              });
}

Status check_present(const state::View& view, const model::NodeId& node) {
  if (view.node(node) == nullptr || view.cluster()->removed_nodes.contains(node)) {
    return absl::PermissionDeniedError("node " + node.value() + " was removed from the swarm");
  }
  return absl::OkStatus();
}

void renew(Manager& manager, CertificateSigner& signer, const model::NodeId& node,
           const std::string& csr, Reply<Issued> reply) {
  const state::View view = manager.store().view();
  if (Status present = check_present(view, node); !present.ok()) {
    reply(std::move(present));
    return;
  }
  const model::Role role = view.node(node)->spec.role;
  sign_and_commit(
      manager, signer, node, role, csr,
      control::record_role({view, manager.loop().wall_now(), manager.random()}, node, role),
      std::move(reply));
}

Issued renew_manager(const state::View& view, CertificateSigner& signer,
                     const std::string& certificate, const std::string& csr) {
  if (view.cluster() == nullptr) {
    return no_leader();
  }
  SWARM_ASSIGN_OR_RETURN(const model::NodeId node,
                         signer.check_expired(*view.cluster(), certificate, csr));
  SWARM_RETURN_IF_ERROR(check_present(view, node));
  if (view.node(node)->spec.role != model::Role::manager) {
    return absl::PermissionDeniedError("node " + node.value() + " is not a manager any more");
  }
  return sign(*view.cluster(), signer, node, model::Role::manager, csr);
}

}  // namespace

void ManagerGateway::issue_certificate(std::string token_secret, std::string csr_pem,
                                       model::Availability availability,
                                       absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  manager_->on_control_loop([manager = manager_, &signer = signer_,
                             secret = std::move(token_secret), csr = std::move(csr_pem),
                             availability, reply = Reply<Issued>(std::move(done))]() mutable {
    if (manager->term() == nullptr) {
      reply(no_leader());
      return;
    }
    const state::View view = manager->store().view();
    Result<control::AdmittedNode> admitted = control::admit_node(
        {view, manager->loop().wall_now(), manager->random()}, secret, availability);
    if (!admitted.ok()) {
      reply(admitted.status());
      return;
    }
    sign_and_commit(*manager, signer, admitted->id, admitted->role, csr,
                    std::move(admitted->changes), std::move(reply));
  });
}

void ManagerGateway::renew_certificate(model::NodeId node, std::string csr_pem,
                                       absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  manager_->on_control_loop([manager = manager_, &signer = signer_, node = std::move(node),
                             csr = std::move(csr_pem),
                             reply = Reply<Issued>(std::move(done))]() mutable {
    if (manager->term() == nullptr) {
      reply(no_leader());
      return;
    }
    renew(*manager, signer, node, csr, std::move(reply));
  });
}

void ManagerGateway::renew_expired_certificate(
    std::string certificate_pem, std::string csr_pem,
    absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  manager_->on_control_loop([manager = manager_, &signer = signer_,
                             certificate = std::move(certificate_pem), csr = std::move(csr_pem),
                             reply = Reply<Issued>(std::move(done))]() mutable {
    const state::ClusterPtr cluster = manager->store().view().cluster();
    if (manager->term() == nullptr || cluster == nullptr) {
      reply(no_leader());
      return;
    }
    const Result<model::NodeId> node = signer.check_expired(*cluster, certificate, csr);
    if (!node.ok()) {
      reply(node.status());
      return;
    }
    log::info("expired certificate renewed", {{"node", node->value()}});
    renew(*manager, signer, *node, csr, std::move(reply));
  });
}

void ManagerGateway::renew_without_leader(
    std::string certificate_pem, std::string csr_pem,
    absl::AnyInvocable<void(Result<IssuedCertificate>)> done) {
  manager_->on_control_loop([manager = manager_, &signer = signer_,
                             certificate = std::move(certificate_pem), csr = std::move(csr_pem),
                             reply = Reply<Issued>(std::move(done))]() mutable {
    reply(renew_manager(manager->store().view(), signer, certificate, csr));
  });
}

bool ManagerGateway::is_removed(const model::NodeId& node) const {
  return manager_->is_removed(node);
}

void ManagerGateway::ask_reachability(absl::AnyInvocable<void(ManagerReachability)> done) {
  manager_->ask_reachable(
      [manager = manager_, done = std::move(done)](std::vector<model::MemberId> members) mutable {
        done({manager->leader().member, std::move(members)});
      });
}

const model::TaskStatus* ManagerGateway::soft_status(const model::TaskId& task) const {
  return manager_->term() == nullptr ? nullptr : manager_->term()->dispatcher().soft_status(task);
}

bool ManagerGateway::has_opened(const model::NodeId& node, const model::ServiceId& service) const {
  return manager_->term() != nullptr && manager_->term()->dispatcher().has_opened(node, service);
}

}  // namespace swarm::manager
