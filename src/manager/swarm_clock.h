#pragma once

#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "state/view.h"

namespace swarm::manager {

// The wall time that a manager decides and stamps by. Waits are stored as wall times (a restart
// delay, a monitor window), and wall clocks step: of one leader under an operator's hand, and from
// one leader to the next.
//
// While it leads, a manager counts on from where it began by its steady clock, so a step of its own
// clock means nothing. Where it begins is what it saw of the leader before, counted on in the same
// way: a machine whose clock is an hour ahead cuts no wait short. A manager that followed nobody
// since it was started has only its own clock, but never begins before the latest time that is
// stored, so no wait is longer than its delay since this leader first saw it.
//
// A value; belongs to the control loop.
class SwarmClock {
 public:
  // Another manager, which leads, stored this time; it was applied here at `now`.
  void follow(WallTime stamp, TimePoint now);
  // `own` is the wall clock of this machine, `latest` the latest time in the store.
  void begin_to_lead(TimePoint now, WallTime own, WallTime latest);
  void stop_leading() { is_leading_ = false; }

  WallTime at(TimePoint now, WallTime own) const;

 private:
  bool is_leading_ = false;
  bool has_followed_ = false;  // or led
  WallTime epoch_;             // the swarm's time at TimePoint{}
};

// When the latest of these objects was stored, for SwarmClock; not set when there are none.
WallTime latest_time(const std::vector<state::Change>& changes);
// O(everything): once for each leadership.
WallTime latest_time(const state::View& view);

// The control loop as all that lives on it sees it: the same loop with the swarm's wall time.
class SwarmTimeLoop final : public EventLoop {
 public:
  SwarmTimeLoop(EventLoop& loop, const SwarmClock& clock) : loop_(loop), clock_(clock) {}

  void post(Callback callback) override { loop_.post(std::move(callback)); }
  TimerId call_at(TimePoint when, Callback callback) override {
    return loop_.call_at(when, std::move(callback));
  }
  void cancel(TimerId timer) override { loop_.cancel(timer); }
  TimePoint now() const override { return loop_.now(); }
  WallTime wall_now() const override { return clock_.at(loop_.now(), loop_.wall_now()); }
  bool is_current() const override { return loop_.is_current(); }

 private:
  EventLoop& loop_;
  const SwarmClock& clock_;
};

}  // namespace swarm::manager
