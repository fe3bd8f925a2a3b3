#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "base/random.h"
#include "support/simulated_loop.h"

namespace swarm::test {

// The log loop of a simulated member: runs what is posted in order, each after the time that a disk
// takes. What has not run when the member crashes never does.
class DiskLoop final : public EventLoop {
 public:
  DiskLoop(World& world, Random random, Duration mean, World::Owner* owner = nullptr)
      : world_(world), random_(std::move(random)), mean_(mean), owner_(owner) {}

  void post(Callback callback) override {
    queue_->push_back(std::move(callback));
    if (queue_->size() == 1) {
      schedule();
    }
  }
  TimerId call_at(TimePoint when, Callback callback) override {
    return world_.schedule(when, std::move(callback), owner_);
  }
  void cancel(TimerId timer) override { world_.cancel(timer); }
  TimePoint now() const override { return world_.now(); }
  WallTime wall_now() const override {
    return world_.wall_now() + (wall_offset_ ? *wall_offset_ : Duration{});
  }
  bool is_current() const override { return true; }

  // What was under way when power went.
  void run_one() {
    if (!queue_->empty()) {
      Callback callback = std::move(queue_->front());
      queue_->pop_front();
      callback();
    }
  }
  void drop_all() { queue_ = std::make_shared<std::deque<Callback>>(); }
  // What comes next ends no sooner than `end`.
  void stall_until(TimePoint end) { stalled_until_ = end; }
  void set_mean(Duration mean) { mean_ = mean; }
  // How far the wall clock of this machine is from the right time, from now on.
  void follow_wall_offset(const Duration* offset) { wall_offset_ = offset; }

 private:
  void schedule() {
    const auto delay = Duration(random_.below(static_cast<uint64_t>(2 * mean_.count()) + 1));
    const TimePoint due = std::max(stalled_until_, world_.now() + delay);
    const auto run = [this, queue = std::weak_ptr(queue_)] {
      const auto alive = queue.lock();
      if (alive == nullptr || alive->empty()) {
        return;
      }
      Callback callback = std::move(alive->front());
      callback();
      // Popped after it ran, so that what it posts does not start a second chain.
      if (alive == queue_) {
        alive->pop_front();
        if (!alive->empty()) {
          schedule();
        }
      }
    };
    world_.schedule(due, run, owner_);
  }

  World& world_;
  Random random_;
  Duration mean_;
  World::Owner* const owner_;
  const Duration* wall_offset_ = nullptr;
  TimePoint stalled_until_{};
  std::shared_ptr<std::deque<Callback>> queue_ = std::make_shared<std::deque<Callback>>();
};

}  // namespace swarm::test
