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
};

}  // namespace swarm::manager
