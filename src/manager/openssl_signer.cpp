#include "manager/openssl_signer.h"

#include "security/tls/certificate_authority.h"

namespace swarm::manager {

Result<std::string> OpensslSigner::sign(const model::Cluster& cluster, const std::string& csr_pem,
                                        const model::NodeId& node, model::Role role) {
  return security::sign(csr_pem, {cluster.ca_certificate, cluster.ca_key}, {node, role, cluster.id},
                        clock_.wall_now(), cluster.certificate_validity);
}

}  // namespace swarm::manager
