#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm {

// The one source of chance. Components get a generator of their own by `fork`, so that a draw added
// in one place does not shift the others under a seed. Not for secrets: security/tls has its own.
// Belongs to one loop.
class Random {
 public:
  explicit Random(uint64_t seed);
  // Seeded by the operating system.
  static Random from_system();

  uint64_t next();
  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);
  // Uniform in [0, 1).
  double unit();
  bool chance(double probability) { return unit() < probability; }
  Random fork(std::string_view name);

 private:
  uint64_t state_[4];
};

// An object id: 25 lower-case base-36 characters, about 129 bits.
std::string random_id(Random& random);

}  // namespace swarm
