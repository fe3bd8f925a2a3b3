#pragma once

#include <functional>
#include <memory>

#include "api/gateway.h"
#include "manager/certificate_signer.h"
#include "manager/manager.h"

namespace swarm::manager {

// The manager as the gRPC services see it: posts to the control loop, runs use cases on the head,
// and replies when the output gate lets go. Every callback is called exactly once, also when the
// manager stops. From any thread.
class ManagerGateway final : public api::Gateway {
 public:
  // Both on any thread, also when this manager has stopped.
  struct Peers {
    // Takes the connections of other managers.
    std::function<void(platform::TcpHandle)> accept;
    // Whether a node answers at an address. What comes after it has stopped is destroyed uncalled.
    std::function<void(const std::string& address, const model::NodeId& node, Done done)> dial;
  };
  ManagerGateway(std::shared_ptr<Manager> manager, CertificateSigner& signer, Peers peers);

  Leader leader() const override;
  std::string quorum_loss() const override { return manager_->quorum_loss(); }
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
  void renew_expired_certificate(std::string certificate_pem, std::string csr_pem,
                                 absl::AnyInvocable<void(Result<IssuedCertificate>)> done) override;
  void renew_certificate(model::NodeId node, std::string csr_pem,
                         absl::AnyInvocable<void(Result<IssuedCertificate>)> done) override;
  // For the node of this manager, whose certificate has expired while nobody leads. When those of
  // all managers have, none of them can connect to another to elect a leader, and somebody has to
  // begin. Every manager holds the key of the root: this signs with it what a leader would, going
  // by what is committed here. PERMISSION_DENIED beyond the swarm's grace, for a key that is not
  // the certificate's, and for a node that was removed or demoted.
  void renew_without_leader(std::string certificate_pem, std::string csr_pem,
                            absl::AnyInvocable<void(Result<IssuedCertificate>)> done);

  bool is_removed(const model::NodeId& node) const override;
  void ask_reachability(absl::AnyInvocable<void(ManagerReachability)> done) override;
  const model::TaskStatus* soft_status(const model::TaskId& task) const override;
  bool has_opened(const model::NodeId& node, const model::ServiceId& service) const override;

 private:
  std::shared_ptr<Manager> manager_;
  CertificateSigner& signer_;
  const Peers peers_;
};

}  // namespace swarm::manager
