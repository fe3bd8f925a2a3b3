#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::raft {

// Seals what the log and the snapshots write to disk (AES-256-GCM with the node's data key in
// production: security/tls). Stateless; from any thread.
class PayloadCipher {
 public:
  virtual ~PayloadCipher() = default;
  virtual std::string seal(std::string_view plain) = 0;
  // DATA_LOSS when it was not sealed with this key.
  virtual Result<std::string> open(std::string_view sealed) = 0;
};

}  // namespace swarm::raft
