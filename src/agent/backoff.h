#pragma once

#include "base/random.h"
#include "base/time.h"

namespace swarm::agent {

// Waits between attempts: doubling up to a bound, and a random part of it, so that nodes that lost
// the same manager do not come back at the same instant.
class Backoff {
 public:
  Backoff(Duration min, Duration max, Random random);

  // The wait before the next attempt: between half and all of the present step.
  Duration next();
  void reset() { step_ = min_; }

 private:
  Duration min_;
  Duration max_;
  Duration step_;
  Random random_;
};

}  // namespace swarm::agent
