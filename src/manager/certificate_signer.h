#pragma once

#include <string>

#include "base/result.h"
#include "model/cluster.h"
#include "model/node.h"

namespace swarm::manager {

// Signs with the swarm's root: OpenSSL in production, a stand-in under simulation. Stateless.
class CertificateSigner {
 public:
  virtual ~CertificateSigner() = default;

  // The node's leaf followed by the root, PEM. INVALID_ARGUMENT for a request that is not one.
  virtual Result<std::string> sign(const model::Cluster& cluster, const std::string& csr_pem,
                                   const model::NodeId& node, model::Role role) = 0;

  // Whose certificate it is: one of the swarm that expired no longer ago than its grace, and whose
  // key the request was signed with. PERMISSION_DENIED says what is wrong with it.
  virtual Result<model::NodeId> check_expired(const model::Cluster& cluster,
                                              const std::string& certificate_pem,
                                              const std::string& csr_pem) = 0;
};

}  // namespace swarm::manager
