#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/event_loop.h"

namespace swarm::test {

// Virtual time, one heap of events. Time moves only when nothing is left to do at the present
// instant, so a test of hours takes milliseconds and runs the same way every time. Several
// simulated loops may share one world (see SimulatedLoop).
class World {
 public:
  TimePoint now() const { return now_; }
  // The wall clock starts at a fixed date.
  WallTime wall_now() const { return WallTime(seconds(1'700'000'000)) + now_.time_since_epoch(); }

  uint64_t schedule(TimePoint when, Callback callback) {
    const uint64_t id = ++last_;
    const TimePoint due = when < now_ ? now_ : when;
    events_.emplace(std::pair(due, id), std::move(callback));
    due_.emplace(id, due);
    return id;
  }

  void cancel(uint64_t id) {
    const auto found = due_.find(id);
    if (found != due_.end()) {
      events_.erase(std::pair(found->second, id));
      due_.erase(found);
    }
  }

  // Runs the next event; false when there is none.
  bool step() {
    if (events_.empty()) {
      return false;
    }
    auto node = events_.extract(events_.begin());
    now_ = node.key().first;
    due_.erase(node.key().second);
    node.mapped()();
    return true;
  }

  // Runs everything due within `duration`, then moves the time there.
  void run_for(Duration duration) {
    const TimePoint end = now_ + duration;
    while (!events_.empty() && events_.begin()->first.first <= end) {
      step();
    }
    now_ = end;
  }

  // Runs until `condition` holds; false when it does not within `limit` of virtual time.
  template <class Condition>
  bool run_until(Condition condition, Duration limit = minutes(10)) {
    const TimePoint end = now_ + limit;
    while (!condition()) {
      if (events_.empty() || events_.begin()->first.first > end) {
        return false;
      }
      step();
    }
    return true;
  }

  // The world ends: everything that waits is destroyed uncalled, and what that schedules in turn.
  void drop_all() {
    while (!events_.empty()) {
      due_.clear();
      const auto dropped = std::exchange(events_, {});
    }
  }

  // Runs what is due now, without letting time pass.
  void settle() { run_for(Duration{0}); }

 private:
  TimePoint now_{seconds(1)};
  uint64_t last_ = 0;
  std::map<std::pair<TimePoint, uint64_t>, Callback> events_;
  std::map<uint64_t, TimePoint> due_;
};

// One event loop in a world.
class SimulatedLoop final : public EventLoop {
 public:
  explicit SimulatedLoop(World& world) : world_(world) {}

  void post(Callback callback) override { world_.schedule(world_.now(), std::move(callback)); }
  TimerId call_at(TimePoint when, Callback callback) override {
    return world_.schedule(when, std::move(callback));
  }
  void cancel(TimerId timer) override { world_.cancel(timer); }
  TimePoint now() const override { return world_.now(); }
  WallTime wall_now() const override { return world_.wall_now(); }
  bool is_current() const override { return true; }

 private:
  World& world_;
};

}  // namespace swarm::test
