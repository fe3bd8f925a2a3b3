#include "base/event_loop.h"

namespace swarm {

void Timer::set_at(TimePoint when, Callback callback) {
  cancel();
  pending_ = true;
  id_ = loop_.call_at(when, [this, callback = std::move(callback)]() mutable {
    pending_ = false;
    // The callback may set this timer again, or destroy it: nothing of `this` is used after it.
    Callback run = std::move(callback);
    run();
  });
}

void Timer::set_after(Duration delay, Callback callback) {
  set_at(loop_.now() + delay, std::move(callback));
}

void Timer::set_at(WallTime deadline, Callback callback) {
  set_at(loop_.now() + (deadline - loop_.wall_now()), std::move(callback));
}

void Timer::cancel() {
  if (pending_) {
    loop_.cancel(id_);
    pending_ = false;
  }
}

}  // namespace swarm
