// The certificates that the gateway of a manager gives out.

#include <utility>

#include "base/log.h"
#include "control/context.h"
#include "control/swarm.h"
#include "manager/commit_then.h"
#include "manager/gateway.h"
#include "manager/reply.h"

namespace swarm::manager {

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

}  // namespace swarm::manager
