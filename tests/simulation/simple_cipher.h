#pragma once

#include <string>
#include <string_view>

#include "raft/log/payload_cipher.h"

namespace swarm::test {

// Seals nothing, but changes the bytes, so that whoever forgets to open them is found out.
class SimpleCipher final : public raft::PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) override {
    if (!sealed.starts_with('s')) {
      return absl::DataLossError("not sealed with this key");
    }
    return std::string(sealed.substr(1));
  }
};

}  // namespace swarm::test
