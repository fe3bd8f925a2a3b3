#include "agent/backoff.h"

#include <algorithm>

namespace swarm::agent {

Backoff::Backoff(Duration min, Duration max, Random random)
    : min_(min), max_(max), step_(min), random_(random) {}

Duration Backoff::next() {
  const Duration half = step_ / 2;
  const Duration wait = half + Duration(random_.below(static_cast<uint64_t>(half.count()) + 1));
  step_ = std::min(step_ * 2, max_);
  return wait;
}

}  // namespace swarm::agent
