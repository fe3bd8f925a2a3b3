#include "manager/gateway.h"

#include <set>
#include <utility>

#include "control/context.h"
#include "control/nodes.h"
#include "control/swarm.h"
#include "manager/commit_then.h"
#include "manager/reply.h"
#include "platform/tcp_handle.h"

namespace swarm::manager {

namespace {

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
