#include "security/join_token.h"

#include <algorithm>

namespace swarm::security {

namespace {

constexpr std::string_view kPrefix = "SWMTKN-1-";

bool is_base36(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

Status invalid(std::string_view why) {
  return absl::InvalidArgumentError(
      "invalid join token: " + std::string(why) +
      "; the right form is SWMTKN-1-<50 characters>-<25 characters>, as printed by `swarmctl swarm "
      "join-token worker` or `swarmctl swarm join-token manager` on a manager");
}

}  // namespace

std::string format_join_token(const JoinToken& token) {
  return std::string(kPrefix) + token.digest + "-" + token.secret;
}

Result<JoinToken> parse_join_token(std::string_view text) {
  if (text.empty()) {
    return invalid("it is empty");
  }
  if (!text.starts_with(kPrefix)) {
    return invalid("it does not begin with SWMTKN-1-");
  }
  text.remove_prefix(kPrefix.size());
  if (text.size() != kDigestDigits + 1 + kSecretDigits || text[kDigestDigits] != '-') {
    return invalid("it is cut off or has too many characters");
  }
  JoinToken token{.digest = std::string(text.substr(0, kDigestDigits)),
                  .secret = std::string(text.substr(kDigestDigits + 1))};
  if (!is_base36(token.digest) || !is_base36(token.secret)) {
    return invalid("it has characters other than digits and lower-case letters");
  }
  return token;
}

}  // namespace swarm::security
