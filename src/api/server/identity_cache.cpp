#include "api/server/identity_cache.h"

#include <mutex>

#include "security/tls/certificate.h"

namespace swarm::api {

Result<security::PeerIdentity> IdentityCache::identity_of(std::string_view pem) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = known_.find(pem); found != known_.end()) {
      return found->second;
    }
  }
  SWARM_ASSIGN_OR_RETURN(security::PeerIdentity identity, security::identity_of(pem));
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxIdentities) {
    known_.clear();
  }
  known_.emplace(pem, identity);
  return identity;
}

size_t IdentityCache::size() const {
  const std::shared_lock lock(mutex_);
  return known_.size();
}

}  // namespace swarm::api
