#include "base/asio_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <utility>

#include "base/loop_thread.h"
#include "base/real_clock.h"
#include "base/timer_queue.h"

namespace swarm {

// All timers share one Asio timer that is armed for the earliest: thousands of deadlines cost one
// kernel timer, and equal deadlines run in the order they were set.
//
// Posts wait in a list of our own: the first one wakes the loop, those that come before it has run
// them all cost a push, and it takes all of them at once.
struct AsioLoop::Impl {
  explicit Impl(std::string loop_name)
      : work(context.get_executor()), alarm(context), thread(std::move(loop_name)) {}

  Posted posted;
  bool is_woken = false;  // and has not found `posted` empty since; with its mutex
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  boost::asio::steady_timer alarm;
  TimerQueue timers;
  LoopThread thread;

  // Whether there was anything.
  bool take_posted() {
    const std::lock_guard lock(posted.mutex);
    posted.running.swap(posted.waiting);
    is_woken = !posted.running.empty();
    return is_woken;
  }

  void run_posted() {
    // After a few rounds timers and sockets have their turn.
    constexpr int kRounds = 8;
    for (int round = 0; round < kRounds; ++round) {
      if (!take_posted()) {
        return;
      }
      posted.run([this] { return context.stopped(); });
      if (context.stopped()) {
        return;
      }
    }
    wake();
  }

  void wake() {
    boost::asio::post(context, [this] { run_posted(); });
  }

  // Sets the alarm for the next timer; it runs every one that is due.
  void arm() {
    const std::optional<TimePoint> next = timers.next();
    if (!next) {
      alarm.cancel();
      return;
    }
    alarm.expires_at(to_steady(*next));
    alarm.async_wait([this](const boost::system::error_code& error) {
      if (error) {
        return;
      }
      const TimePoint time = steady_now();
      while (timers.run_due(time)) {
      }
      arm();
    });
  }
};

AsioLoop::AsioLoop(std::string name) : impl_(std::make_unique<Impl>(std::move(name))) {}

AsioLoop::~AsioLoop() {
  stop();
  impl_->posted.drop();
}

void AsioLoop::start() {
  impl_->thread.start([this] { run(); });
}

void AsioLoop::run() {
  impl_->thread.lend([this] { impl_->context.run(); });
}

void AsioLoop::stop() {
  impl_->context.stop();
  impl_->thread.join();
}

void AsioLoop::post(Callback callback) {
  bool is_asleep = false;
  {
    const std::lock_guard lock(impl_->posted.mutex);
    is_asleep = !std::exchange(impl_->is_woken, true);
    impl_->posted.waiting.push_back(std::move(callback));
  }
  if (is_asleep) {
    impl_->wake();
  }
}

EventLoop::TimerId AsioLoop::call_at(TimePoint when, Callback callback) {
  const std::optional<TimePoint> next = impl_->timers.next();
  const TimerId id = impl_->timers.add(when, std::move(callback));
  if (!next || when < *next) {
    impl_->arm();
  }
  return id;
}

void AsioLoop::cancel(TimerId timer) {
  impl_->timers.cancel(timer);
}

TimePoint AsioLoop::now() const {
  return steady_now();
}

WallTime AsioLoop::wall_now() const {
  return system_now();
}

bool AsioLoop::is_current() const {
  return impl_->thread.is_current();
}

boost::asio::io_context& AsioLoop::context() {
  return impl_->context;
}

}  // namespace swarm
