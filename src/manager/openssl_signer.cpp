#include "manager/openssl_signer.h"

#include "security/tls/certificate_authority.h"
#include "security/tls/expired_certificate.h"

namespace swarm::manager {

Result<std::string> OpensslSigner::sign(const model::Cluster& cluster, const std::string& csr_pem,
                                        const model::NodeId& node, model::Role role) {
  return security::sign(csr_pem, {cluster.ca_certificate, cluster.ca_key}, {node, role, cluster.id},
                        clock_.wall_now(), cluster.certificate_validity);
}

Result<model::NodeId> OpensslSigner::check_expired(const model::Cluster& cluster,
                                                   const std::string& certificate_pem,
                                                   const std::string& csr_pem) {
  SWARM_ASSIGN_OR_RETURN(
      const security::PeerIdentity identity,
      security::identity_of_expired(certificate_pem, csr_pem, cluster.ca_certificate,
                                    clock_.wall_now(), cluster.certificate_grace));
  if (identity.swarm != cluster.id) {
    return absl::PermissionDeniedError("node " + identity.node.value() + " is of another swarm");
  }
  return identity.node;
}

}  // namespace swarm::manager
