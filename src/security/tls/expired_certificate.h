#pragma once

#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "security/identity.h"

namespace swarm::security {

// Whose certificate it is that TLS refuses because its time has passed: signed by the root, expired
// no longer ago than `grace`, and the request was signed with its key, which whoever asks must
// have. A request that was overheard is of no use: what it gets is a certificate for the same key.
// One that has not expired counts as well: clocks of nodes differ. PERMISSION_DENIED says what is
// wrong, and what to do about it.
Result<PeerIdentity> identity_of_expired(std::string_view certificate_pem,
                                         std::string_view request_pem, std::string_view root_pem,
                                         WallTime now, Duration grace);

}  // namespace swarm::security
