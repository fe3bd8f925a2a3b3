#pragma once

#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "security/identity.h"

namespace swarm::api {

// Who a certificate names. gRPC hands the peer's certificate to every call as text, and reading one
// costs more than the rest of admitting a call, so what was read once is kept. Only for
// certificates that TLS has accepted. From any thread.
class IdentityCache {
 public:
  // As security::identity_of; what cannot be read is not kept.
  Result<security::PeerIdentity> identity_of(std::string_view pem);

  size_t size() const;

  // Nodes renew their certificates: at two of each this is room for more nodes than a swarm has.
  // When it is full, everything is forgotten.
  static constexpr size_t kMaxIdentities = 16'384;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, security::PeerIdentity, std::less<>> known_;
};

}  // namespace swarm::api
