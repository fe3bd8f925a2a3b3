#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "dispatcher/session_sink.h"
#include "model/agent_messages.h"
#include "security/identity.h"
#include "state/change_set.h"
#include "state/view.h"

namespace swarm::platform {
class TcpHandle;
}

namespace swarm::api {

// What the gRPC services of a manager need from it: implemented by manager/. The services convert,
// check roles, call this and reply; they decide nothing. From any thread; callbacks come on any
// thread, exactly once.
class Gateway {
 public:
  using Write =
      absl::AnyInvocable<Result<state::ChangeSet>(const state::View&, WallTime now, Random&)>;
  using Read = absl::AnyInvocable<Status(const state::View&)>;
  using Done = absl::AnyInvocable<void(Status)>;

  struct Leader {
    bool is_self = false;
    std::string address;  // "" when nobody leads
  };

  virtual ~Gateway() = default;

  virtual Leader leader() const = 0;
  // When nobody leads because too few managers answer: the sentence that says which do not, and the
  // cure. Empty while that is not known.
  virtual std::string quorum_loss() const { return {}; }

  // Runs the use case on the leader's head, commits what it returns, and is done when that is
  // committed. UNAVAILABLE within five seconds when there is no leader or no quorum; it may then be
  // committed all the same.
  void write(Write use_case, Done done) {
    write_once({}, std::move(use_case), nullptr, std::move(done));
  }
  // The same for a request that may be sent again after UNAVAILABLE: when it was carried out
  // already, `recall` fills in the answer from the store instead. ABORTED when that is not known
  // any more.
  virtual void write_once(model::RequestId request, Write use_case, Read recall, Done done) = 0;
  // The position up to which this manager has applied what is committed.
  virtual model::Position committed() const = 0;
  // Linearizable: runs `query` on the head, is done when leadership was confirmed after the call
  // and the head it saw is committed.
  virtual void read(Read query, Done done) = 0;
  // From committed state of any manager, leader or not.
  virtual void stale_read(Read query, Done done) = 0;

  // ---- agents ----

  class AgentSession {
   public:
    virtual ~AgentSession() = default;  // the stream is gone
    virtual void receive(model::AgentUpMessage message) = 0;
  };
  // FAILED_PRECONDITION when this manager does not lead.
  virtual void open_session(
      model::NodeId node, std::string address, std::unique_ptr<dispatcher::SessionSink> sink,
      absl::AnyInvocable<void(Result<std::unique_ptr<AgentSession>>)> done) = 0;

  // ---- other managers ----

  // A connection of a peer (peers/frame.h), of which nothing has been read.
  virtual void accept_peer(platform::TcpHandle connection) = 0;
  struct Joined {
    model::MemberId member;
  };
  // A node with a manager's certificate asks to become a member at `address`. Leader only. A node
  // that is a member already keeps its id and gets the new address.
  virtual void join_raft(model::NodeId node, std::string address,
                         absl::AnyInvocable<void(Result<Joined>)> done) = 0;
  // The node asks to be removed from the group (swarm leave, demotion). Leader only.
  virtual void leave_raft(model::NodeId node, Done done) = 0;

  // ---- certificates ----

  struct IssuedCertificate {
    model::NodeId node;
    model::SwarmId swarm;
    model::Role role = model::Role::worker;
    std::string certificate;  // PEM, leaf and root
  };
  // For a node that has only a token: checks its secret, makes the node record with
  // this availability, signs. Leader only.
  virtual void issue_certificate(std::string token_secret, std::string csr_pem,
                                 model::Availability availability,
                                 absl::AnyInvocable<void(Result<IssuedCertificate>)> done) = 0;
  // For a known node: a new certificate for the role it should have. Leader only.
  virtual void renew_certificate(model::NodeId node, std::string csr_pem,
                                 absl::AnyInvocable<void(Result<IssuedCertificate>)> done) = 0;
  // The same for the node of a certificate that has expired, within the swarm's grace. The request
  // is signed with the certificate's key. Leader only.
  virtual void renew_expired_certificate(
      std::string certificate_pem, std::string csr_pem,
      absl::AnyInvocable<void(Result<IssuedCertificate>)> done) = 0;

  // Whether this node's certificate was withdrawn (removed from the swarm). From committed state.
  virtual bool is_removed(const model::NodeId& node) const = 0;

  // Additions the store does not hold, for `node ls` and `service ps`: on the leader.
  struct ManagerReachability {
    model::MemberId leader;
    std::vector<model::MemberId> reachable;  // heard of lately, or the leader itself
  };
  // As it is now; nobody when this manager stops.
  virtual void ask_reachability(absl::AnyInvocable<void(ManagerReachability)> done) = 0;
  // Must be called inside a Read or Write (on the control loop); null when nothing newer is known.
  virtual const model::TaskStatus* soft_status(const model::TaskId& task) const = 0;
  // Likewise: whether the node has opened the published ports of the service, or said why not.
  virtual bool has_opened(const model::NodeId& node, const model::ServiceId& service) const = 0;
};

}  // namespace swarm::api
