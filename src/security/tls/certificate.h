#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "security/identity.h"
#include "security/renewal.h"

// What a certificate in PEM form says. Nothing here checks who signed it: TLS has done that.
namespace swarm::security {

// Of the first certificate in `pem`. INVALID_ARGUMENT when it is not one of a node of a swarm.
Result<PeerIdentity> identity_of(std::string_view pem);

Result<Validity> validity_of(std::string_view pem);

// Of a root: SHA-256 of its DER form as 50 base-36 digits, the public part of a join token.
Result<std::string> digest_of(std::string_view root_pem);

}  // namespace swarm::security
