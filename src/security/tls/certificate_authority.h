#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/cluster.h"
#include "security/identity.h"
#include "security/renewal.h"

// The swarm's certificate authority: ECDSA P-256 over SHA-256, one self-signed root. The first
// manager makes it; the leader signs. Stateless; from any thread.
namespace swarm::security {

struct RootCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM; as secret as the swarm itself
};

inline constexpr Duration kRootValidity = hours(24) * 365 * 20;

Result<RootCertificate> make_root(const model::SwarmId& swarm, WallTime now);

// A node's private key, PEM.
Result<std::string> make_key();
// A certificate request for the key. It names nothing: what the certificate says is decided by the
// one who signs.
Result<std::string> make_request(std::string_view key_pem);

// Signs the public key of the request for `identity`: node in CN, role in OU, swarm in O, and host
// names of names.h. Returns the leaf followed by the root, so that a peer that is joining can see
// the root. INVALID_ARGUMENT when the request does not hold a P-256 key or was not made by its
// owner.
Result<std::string> sign(std::string_view request_pem, const RootCertificate& root,
                         const PeerIdentity& identity, WallTime now,
                         Duration validity = model::kCertificateValidity);

}  // namespace swarm::security
