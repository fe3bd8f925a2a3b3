#pragma once

#include <cstdint>
#include <memory>

namespace swarm::platform {

// A port that this program has spoken for: no other swarmd in the same network namespace gets it
// while this lives, though nobody listens there yet. It binds nobody else: another program may
// still open the port.
class PortClaim {
 public:
  virtual ~PortClaim() = default;
};

// Null when another claim on the port exists.
std::unique_ptr<PortClaim> claim_port(uint16_t port);

}  // namespace swarm::platform
