#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::security {

// Authenticated encryption with AES-256-GCM: what goes to disk, log payloads and snapshots among
// it.
//
// A sealed text is a version byte, a random 96-bit nonce, the encrypted text and a 128-bit tag.
// Random nonces are safe for 2^32 texts under one key (NIST SP 800-38D, 8.3): far more log records
// than a data key seals. Stateless; from any thread.
class AesGcm {
 public:
  static constexpr size_t kKeyBytes = 32;
  static constexpr size_t kOverheadBytes = 1 + 12 + 16;

  // `key` has kKeyBytes bytes.
  explicit AesGcm(std::string key);

  std::string seal(std::string_view plain) const;
  // DATA_LOSS when it was not sealed with this key, or was changed.
  Result<std::string> open(std::string_view sealed) const;

 private:
  std::string key_;
};

}  // namespace swarm::security
