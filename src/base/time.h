#pragma once

#include <chrono>
#include <cstdint>

// Two kinds of instants that cannot be mixed up.
namespace swarm {

using Duration = std::chrono::nanoseconds;

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Tag of the monotonic clock of one process; its instants mean nothing elsewhere.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

// Tag of the calendar clock, since the Unix epoch. Stored deadlines are of this kind, because they
// must mean the same to the next leader.
struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock, Duration>;
  static constexpr bool is_steady = false;
};

using TimePoint = MonotonicClock::time_point;
using WallTime = WallClock::time_point;

// The default value of WallTime (the epoch) stands for "never" or "not set" in stored objects.
inline constexpr bool is_set(WallTime time) {
  return time != WallTime{};
}

}  // namespace swarm
