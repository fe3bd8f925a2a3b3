#include "base/thread_loop.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/loop_thread.h"
#include "base/real_clock.h"
#include "base/timer_queue.h"

namespace swarm {

struct ThreadLoop::Impl {
  explicit Impl(std::string name) : thread(std::move(name)) {}

  Posted posted;
  std::condition_variable wake;
  std::atomic<bool> is_stopped = false;
  TimerQueue timers;
  LoopThread thread;

  void wait() {
    std::unique_lock lock(posted.mutex);
    const auto has_work = [this] { return is_stopped || !posted.waiting.empty(); };
    if (const std::optional<TimePoint> next = timers.next()) {
      wake.wait_until(lock, to_steady(*next), has_work);
    } else {
      wake.wait(lock, has_work);
    }
    posted.running.swap(posted.waiting);
  }

  void run() {
    while (!is_stopped) {
      wait();
      posted.run([this] { return is_stopped.load(); });
      const TimePoint time = steady_now();
      while (!is_stopped && timers.run_due(time)) {
      }
    }
  }
};

ThreadLoop::ThreadLoop(std::string name) : impl_(std::make_unique<Impl>(std::move(name))) {}

ThreadLoop::~ThreadLoop() {
  stop();
  impl_->posted.drop();
}

void ThreadLoop::start() {
  impl_->thread.start([this] { run(); });
}

void ThreadLoop::run() {
  impl_->thread.lend([this] { impl_->run(); });
}

void ThreadLoop::stop() {
  {
    const std::lock_guard lock(impl_->posted.mutex);
    impl_->is_stopped = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

void ThreadLoop::post(Callback callback) {
  bool is_first = false;
  {
    const std::lock_guard lock(impl_->posted.mutex);
    is_first = impl_->posted.waiting.empty();
    impl_->posted.waiting.push_back(std::move(callback));
  }
  // Without the lock, which the woken thread takes.
  if (is_first) {
    impl_->wake.notify_one();
  }
}

EventLoop::TimerId ThreadLoop::call_at(TimePoint when, Callback callback) {
  return impl_->timers.add(when, std::move(callback));
}

void ThreadLoop::cancel(TimerId timer) {
  impl_->timers.cancel(timer);
}

TimePoint ThreadLoop::now() const {
  return steady_now();
}

WallTime ThreadLoop::wall_now() const {
  return system_now();
}

bool ThreadLoop::is_current() const {
  return impl_->thread.is_current();
}

}  // namespace swarm
