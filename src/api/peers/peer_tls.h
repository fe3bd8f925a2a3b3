#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "api/credentials_source.h"
#include "base/result.h"
#include "security/identity.h"

namespace swarm::api {

// What this node shows to other managers, and what they must show. On one loop.
class PeerTls {
 public:
  explicit PeerTls(CredentialsSource credentials) : credentials_(std::move(credentials)) {}

  // Of the certificate the node has now; valid until the next call. FAILED_PRECONDITION when it has
  // none, INVALID_ARGUMENT when it is of no use.
  Result<boost::asio::ssl::context*> context();

  // PERMISSION_DENIED unless the peer is a manager of this swarm.
  Status check_manager(const security::PeerIdentity& peer) const;

 private:
  const CredentialsSource credentials_;
  std::shared_ptr<const security::NodeCredentials> current_;
  std::unique_ptr<boost::asio::ssl::context> context_;
  model::SwarmId swarm_;
};

}  // namespace swarm::api
