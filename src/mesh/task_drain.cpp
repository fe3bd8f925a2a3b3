#include "mesh/task_drain.h"

#include <algorithm>

#include "base/check.h"

namespace swarm::mesh {

namespace {

constexpr TimePoint kNever = TimePoint::min();

TimePoint last_call(TimePoint now, Duration timeout) {
  return timeout > Duration{0} ? now + timeout - std::min(kLastCall, timeout / 4) : kNever;
}

}  // namespace

TaskDrain::TaskDrain(TimePoint now, Duration timeout)
    : last_call_(last_call(now, timeout)), quiet_until_(now + kQuietTime) {}

void TaskDrain::tell(TimePoint now, Duration timeout) {
  if (last_call_ != kNever) {
    last_call_ = last_call(now, timeout);
  }
}

void TaskDrain::connection_closed(uint64_t number) {
  if (is_open_ && number <= last_outlasting_) {
    SWARM_CHECK(outlasting_ > 0, "connections that outlast the quiet time are counted");
    --outlasting_;
  }
}

TaskDrain::Change TaskDrain::advance(TimePoint now, size_t connections, uint64_t last_number) {
  if (is_open_) {
    if (outlasting_ > 0 && now < last_call_) {
      return Change::none;
    }
    is_open_ = false;
    quiet_until_ = now + kQuietTime;
    return Change::closed;
  }
  if (now < quiet_until_ || now >= last_call_) {
    return Change::none;
  }
  if (connections == 0) {
    quiet_until_ = now + kQuietTime;  // it is drained: asked again only if nobody noticed
    return Change::none;
  }
  is_open_ = true;
  outlasting_ = connections;
  last_outlasting_ = last_number;
  return Change::opened;
}

TimePoint TaskDrain::next_change() const {
  if (is_open_) {
    return last_call_;
  }
  return quiet_until_ < last_call_ ? quiet_until_ : TimePoint::max();
}

}  // namespace swarm::mesh
