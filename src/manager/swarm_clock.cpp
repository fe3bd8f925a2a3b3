#include "manager/swarm_clock.h"

#include <algorithm>

namespace swarm::manager {

void SwarmClock::follow(WallTime stamp, TimePoint now) {
  // An entry may come late, never early: of all estimates the latest is the best.
  const WallTime epoch = stamp - now.time_since_epoch();
  epoch_ = has_followed_ ? std::max(epoch_, epoch) : epoch;
  has_followed_ = true;
}

void SwarmClock::begin_to_lead(TimePoint now, WallTime own, WallTime latest) {
  const WallTime estimate = has_followed_ ? epoch_ + now.time_since_epoch() : own;
  epoch_ = std::max(estimate, latest) - now.time_since_epoch();
  has_followed_ = true;
  is_leading_ = true;
}

WallTime SwarmClock::at(TimePoint now, WallTime own) const {
  return is_leading_ ? epoch_ + now.time_since_epoch() : own;
}

}  // namespace swarm::manager
