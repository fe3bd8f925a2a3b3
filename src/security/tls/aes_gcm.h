#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::security {

// Authenticated encryption with AES-256-GCM: what goes to disk, log payloads and snapshots among
// it.
//
// A sealed text is a version byte, a 96-bit nonce, the encrypted text and a 128-bit tag. No nonce
// may come again under one key. Random ones are good for 2^32 texts (NIST SP 800-38D, 8.3), which a
// busy log has after days. So only the first is random and each further one is the next number: two
// are equal with a probability of 2^-24 after 2^16 starts of the process with 2^40 texts each.
//
// From any thread.
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
  std::string next_nonce() const;

  const std::string key_;
  const std::string first_nonce_;
  mutable std::atomic<uint64_t> sealed_ = 0;
};

}  // namespace swarm::security
