#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace swarm::security {

// The root certificate (PEM) of the manager at `address` ("host:port"), if its digest is the one of
// the join token. Nothing is sent but the TLS handshake, so a stranger at that address learns
// nothing.
//
// Blocking, at most `timeout`; not on a loop. UNAVAILABLE when nobody answers there,
// FAILED_PRECONDITION when the one who does is not of the swarm the token is for, INVALID_ARGUMENT
// for an address that is none.
Result<std::string> fetch_root(const std::string& address, const std::string& expected_digest,
                               Duration timeout);

}  // namespace swarm::security
