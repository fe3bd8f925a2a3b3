#include "dispatcher/clock_watch.h"

#include "base/units.h"

namespace swarm::dispatcher {

std::optional<std::string> ClockWatch::heard(const model::NodeId& node, WallTime sent_at,
                                             WallTime now) {
  if (sent_at == WallTime{}) {
    return std::nullopt;
  }
  Clock& clock = clocks_[node];
  const Duration ahead = sent_at - now;
  const Duration distance = ahead < Duration{} ? -ahead : ahead;
  if (distance <= kMaxClockSkew) {
    clock.beats_off = 0;
    if (clock.is_told_off == false) {
      return std::nullopt;
    }
    clock.is_told_off = false;
    return "";
  }
  if (++clock.beats_off < kBeatsToBelieve || clock.is_told_off == true) {
    return std::nullopt;
  }
  clock.is_told_off = true;
  return "its clock is " + format_duration(std::chrono::round<seconds>(distance)) +
         (ahead > Duration{} ? " ahead of" : " behind") + " the swarm's: synchronise it";
}

}  // namespace swarm::dispatcher
