#pragma once

#include <string>
#include <string_view>

#include "raft/log/payload_cipher.h"
#include "security/tls/aes_gcm.h"

namespace swarm::manager {

// The seal of the raft log: AES-256-GCM with the data key of this node. From any thread.
class DataKeyCipher final : public raft::PayloadCipher {
 public:
  // `key` is what security::load_data_key gives.
  explicit DataKeyCipher(std::string key) : cipher_(std::move(key)) {}
  std::string seal(std::string_view plain) override { return cipher_.seal(plain); }
  Result<std::string> open(std::string_view sealed) override { return cipher_.open(sealed); }

 private:
  security::AesGcm cipher_;
};

}  // namespace swarm::manager
