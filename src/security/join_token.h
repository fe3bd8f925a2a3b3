#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::security {

// What a node shows to get into a swarm, in one string: SWMTKN-1-<digest>-<secret>.
//
// The digest (SHA-256 of the root certificate, 50 base-36 digits) lets the node check whom it talks
// to before it sends the secret (25 digits), which says which role it gets. Only the secret is
// secret.
struct JoinToken {
  std::string digest;
  std::string secret;

  bool operator==(const JoinToken&) const = default;
};

inline constexpr size_t kDigestDigits = 50;
inline constexpr size_t kSecretDigits = 25;

std::string format_join_token(const JoinToken& token);

// INVALID_ARGUMENT with the right form. The text of the token is never part of the error: it may
// hold a secret with one typing mistake.
Result<JoinToken> parse_join_token(std::string_view text);

}  // namespace swarm::security
