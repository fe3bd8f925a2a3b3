#pragma once

#include <map>
#include <optional>
#include <utility>

#include "base/event_loop.h"

namespace swarm {

// The deadlines of one loop: those that are equal come due in the order they were set. For the
// loops of this folder.
class TimerQueue {
 public:
  EventLoop::TimerId add(TimePoint when, Callback callback) {
    const EventLoop::TimerId id = ++last_;
    timers_.emplace(Deadline{when, id}, std::move(callback));
    due_.emplace(id, when);
    return id;
  }

  void cancel(EventLoop::TimerId id) {
    const auto found = due_.find(id);
    if (found != due_.end()) {
      timers_.erase(Deadline{found->second, id});
      due_.erase(found);
    }
  }

  std::optional<TimePoint> next() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first.when);
  }

  // Runs one that is due; false when there is none.
  bool run_due(TimePoint now) {
    if (timers_.empty() || timers_.begin()->first.when > now) {
      return false;
    }
    auto timer = timers_.extract(timers_.begin());
    due_.erase(timer.key().id);
    timer.mapped()();
    return true;
  }

 private:
  struct Deadline {
    TimePoint when;
    EventLoop::TimerId id;
    auto operator<=>(const Deadline&) const = default;
  };

  std::map<Deadline, Callback> timers_;
  std::map<EventLoop::TimerId, TimePoint> due_;
  EventLoop::TimerId last_ = 0;
};

}  // namespace swarm
