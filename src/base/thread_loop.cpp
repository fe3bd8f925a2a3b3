#include "base/thread_loop.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/real_clock.h"
#include "base/timer_queue.h"

namespace swarm {

struct ThreadLoop::Impl {
  explicit Impl(std::string loop_name) : name(std::move(loop_name)) {}

  // Before everything that owns callbacks: what one holds may post when it is destroyed.
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Callback> posted;
  std::atomic<bool> is_stopped = false;
  std::vector<Callback> running;  // taken out of `posted`; the loop's own
  std::string name;
  TimerQueue timers;
  std::atomic<std::thread::id> owner{};
  std::thread thread;

  void wait() {
    std::unique_lock lock(mutex);
    const auto has_work = [this] { return is_stopped || !posted.empty(); };
    if (const std::optional<TimePoint> next = timers.next()) {
      wake.wait_until(lock, to_steady(*next), has_work);
    } else {
      wake.wait(lock, has_work);
    }
    running.swap(posted);
  }

  void run_taken() {
    for (Callback& callback : running) {
      if (is_stopped) {
        return;
      }
      Callback run = std::move(callback);
      run();
    }
    running.clear();
  }
};

ThreadLoop::ThreadLoop(std::string name) : impl_(std::make_unique<Impl>(std::move(name))) {}

ThreadLoop::~ThreadLoop() {
  stop();
  // What a dropped callback owns may post in its turn when it is destroyed.
  std::vector<Callback> dropped = std::move(impl_->running);
  do {
    dropped.clear();
    const std::lock_guard lock(impl_->mutex);
    dropped.swap(impl_->posted);
  } while (!dropped.empty());
}

void ThreadLoop::start() {
  SWARM_CHECK(!impl_->thread.joinable(), "loop '" + impl_->name + "' is started twice");
  impl_->thread = std::thread([this] { run(); });
}

void ThreadLoop::run() {
  impl_->owner = std::this_thread::get_id();
  while (!impl_->is_stopped) {
    impl_->wait();
    impl_->run_taken();
    const TimePoint time = now();
    while (!impl_->is_stopped && impl_->timers.run_due(time)) {
    }
  }
  impl_->owner = std::thread::id{};
}

void ThreadLoop::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_stopped = true;
  }
  impl_->wake.notify_one();
  if (impl_->thread.joinable() && impl_->thread.get_id() != std::this_thread::get_id()) {
    impl_->thread.join();
  }
}

void ThreadLoop::post(Callback callback) {
  bool is_first = false;
  {
    const std::lock_guard lock(impl_->mutex);
    is_first = impl_->posted.empty();
    impl_->posted.push_back(std::move(callback));
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
  return impl_->owner == std::this_thread::get_id();
}

}  // namespace swarm
