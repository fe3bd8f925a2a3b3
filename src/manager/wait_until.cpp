#include "manager/wait_until.h"

#include <future>
#include <memory>
#include <utility>

namespace swarm::manager {

namespace {

constexpr Duration kPollPeriod = milliseconds(20);

// Asks again every kPollPeriod until the condition holds or the limit has passed.
class Wait : public std::enable_shared_from_this<Wait> {
 public:
  Wait(EventLoop& loop, absl::AnyInvocable<bool()> condition)
      : loop_(loop), condition_(std::move(condition)) {}

  bool run(Duration limit) {
    loop_.post([self = shared_from_this(), limit] {
      self->end_ = self->loop_.now() + limit;
      self->poll();
    });
    return done_.get_future().get();
  }

 private:
  void poll() {
    if (condition_()) {
      done_.set_value(true);
    } else if (loop_.now() >= end_) {
      done_.set_value(false);
    } else {
      loop_.call_at(loop_.now() + kPollPeriod, [self = shared_from_this()] { self->poll(); });
    }
  }

  EventLoop& loop_;
  absl::AnyInvocable<bool()> condition_;
  TimePoint end_;
  std::promise<bool> done_;
};

}  // namespace

bool wait_until(EventLoop& loop, Duration limit, absl::AnyInvocable<bool()> condition) {
  return std::make_shared<Wait>(loop, std::move(condition))->run(limit);
}

}  // namespace swarm::manager
