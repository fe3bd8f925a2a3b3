#pragma once

#include <chrono>

#include "base/time.h"

// The clocks of the machine, for the loops of this folder and for the two places without a loop at
// hand, which only pace their log: everybody else asks a loop.
namespace swarm {

inline TimePoint steady_now() {
  return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

inline WallTime system_now() {
  return WallTime(std::chrono::system_clock::now().time_since_epoch());
}

inline std::chrono::steady_clock::time_point to_steady(TimePoint when) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(when.time_since_epoch()));
}

}  // namespace swarm
