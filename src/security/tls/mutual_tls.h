#pragma once

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"
#include "security/identity.h"

// TLS between two nodes where there is no gRPC: version 1.3, and each side shows its certificate
// and checks the other's against the trust root.
namespace swarm::security {

// For both directions. INVALID_ARGUMENT when the credentials do not fit together.
Result<boost::asio::ssl::context> mutual_tls_context(const NodeCredentials& credentials);

// Who is at the other end, after the handshake. PERMISSION_DENIED when it showed no certificate,
// or none of a node.
Result<PeerIdentity> identity_of_peer(const SSL* connection);

}  // namespace swarm::security
