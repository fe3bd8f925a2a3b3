#include "api/peers/peer_tls.h"

#include <utility>

#include "security/tls/certificate.h"
#include "security/tls/mutual_tls.h"

namespace swarm::api {

Result<boost::asio::ssl::context*> PeerTls::context() {
  const auto now = credentials_();
  if (now == nullptr) {
    return absl::FailedPreconditionError("this node has no certificate of a swarm");
  }
  if (now != current_) {
    SWARM_ASSIGN_OR_RETURN(const security::PeerIdentity self,
                           security::identity_of(now->certificate));
    SWARM_ASSIGN_OR_RETURN(boost::asio::ssl::context context, security::mutual_tls_context(*now));
    context_ = std::make_unique<boost::asio::ssl::context>(std::move(context));
    swarm_ = self.swarm;
    current_ = now;
  }
  return context_.get();
}

Status PeerTls::check_manager(const security::PeerIdentity& peer) const {
  if (peer.swarm != swarm_) {
    return absl::PermissionDeniedError("node " + peer.node.value() + " is of another swarm");
  }
  if (peer.role != model::Role::manager) {
    return absl::PermissionDeniedError("node " + peer.node.value() + " is a worker");
  }
  return absl::OkStatus();
}

}  // namespace swarm::api
