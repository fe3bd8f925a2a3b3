#pragma once

#include "base/event_loop.h"
#include "manager/certificate_signer.h"

namespace swarm::manager {

// Signs with the root's key out of the store. Stateless; from any thread.
class OpensslSigner final : public CertificateSigner {
 public:
  explicit OpensslSigner(const EventLoop& clock) : clock_(clock) {}

  Result<std::string> sign(const model::Cluster& cluster, const std::string& csr_pem,
                           const model::NodeId& node, model::Role role) override;
  Result<model::NodeId> check_expired(const model::Cluster& cluster,
                                      const std::string& certificate_pem,
                                      const std::string& csr_pem) override;

 private:
  const EventLoop& clock_;
};

}  // namespace swarm::manager
