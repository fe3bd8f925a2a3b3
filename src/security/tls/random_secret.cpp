#include "security/tls/random_secret.h"

#include <openssl/rand.h>

#include <span>

#include "base/check.h"
#include "security/base36.h"
#include "security/join_token.h"

namespace swarm::security {

std::string random_bytes(size_t size) {
  std::string bytes(size, '\0');
  const int outcome =
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
  SWARM_CHECK(outcome == 1, "the random generator of OpenSSL gives nothing");
  return bytes;
}

std::string random_secret() {
  const std::string bytes = random_bytes(16);
  return to_base36(std::span(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()),
                   kSecretDigits);
}

}  // namespace swarm::security
