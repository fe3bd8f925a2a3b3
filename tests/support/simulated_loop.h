#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/event_loop.h"

namespace swarm::test {

// Virtual time, one heap of events. Time moves only when nothing is left to do at the present
// instant, so a test of hours takes milliseconds and runs the same way every time. Several
// simulated loops may share one world (see SimulatedLoop).
class World {
 public:
  // Whose event it is. While an owner is paused its events wait, in order, like those of a stopped
  // process; `is_touched` is for the test to clear.
  struct Owner {
    TimePoint paused_until{};
    bool is_touched = false;
  };

  TimePoint now() const { return now_; }
  // The wall clock starts at a fixed date.
  WallTime wall_now() const { return WallTime(seconds(1'700'000'000)) + now_.time_since_epoch(); }

  uint64_t schedule(TimePoint when, Callback callback, Owner* owner = nullptr) {
    const uint64_t slot = take_slot();
    const Event event{std::max(when, now_), ++last_, slot};
    slots_[slot] = {event.sequence, owner, std::move(callback)};
    put(event);
    ++waiting_;
    return event.sequence << kSlotBits | slot;
  }

  void cancel(uint64_t id) {
    const uint64_t slot = id & ((uint64_t{1} << kSlotBits) - 1);
    if (slot < slots_.size() && slots_[slot].sequence == id >> kSlotBits) {
      const Callback dropped = release(slot);
    }
  }

  // Runs the next event; false when there is none.
  bool step() {
    const Event* const next = find_next();
    if (next == nullptr) {
      return false;
    }
    const Event event = *next;
    remove(next);
    now_ = event.due;
    Owner* const owner = slots_[event.slot].owner;
    if (owner != nullptr) {
      if (owner->paused_until > now_) {
        put({owner->paused_until, event.sequence, event.slot});
        return true;
      }
      owner->is_touched = true;
    }
    Callback callback = release(event.slot);
    callback();
    return true;
  }

  // Runs everything due within `duration`, then moves the time there.
  void run_for(Duration duration) {
    const TimePoint end = now_ + duration;
    for (const Event* next = find_next(); next != nullptr && next->due <= end; next = find_next()) {
      step();
    }
    now_ = end;
  }

  // Runs until `condition` holds; false when it does not within `limit` of virtual time.
  template <class Condition>
  bool run_until(Condition condition, Duration limit = minutes(10)) {
    const TimePoint end = now_ + limit;
    while (!condition()) {
      const Event* const next = find_next();
      if (next == nullptr || next->due > end) {
        return false;
      }
      step();
    }
    return true;
  }

  // The world ends: everything that waits is destroyed uncalled, and what that schedules in turn.
  void drop_all() {
    while (waiting_ > 0) {
      heap_.clear();
      ready_.clear();
      free_.clear();
      waiting_ = 0;
      const auto dropped = std::exchange(slots_, {});
    }
  }

  // Runs what is due now, without letting time pass.
  void settle() { run_for(Duration{0}); }

  size_t waiting() const { return waiting_; }

 private:
  static constexpr int kSlotBits = 20;

  struct Event {
    TimePoint due;
    uint64_t sequence;
    uint64_t slot;
  };
  struct Slot {
    uint64_t sequence = 0;  // 0: free
    Owner* owner = nullptr;
    Callback callback;
  };
  static bool is_later(const Event& a, const Event& b) {
    return a.due != b.due ? a.due > b.due : a.sequence > b.sequence;
  }

  uint64_t take_slot() {
    if (free_.empty()) {
      slots_.emplace_back();
      return slots_.size() - 1;
    }
    const uint64_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  Callback release(uint64_t slot) {
    slots_[slot].sequence = 0;
    free_.push_back(slot);
    --waiting_;
    return std::exchange(slots_[slot].callback, nullptr);
  }

  // Most events are posted for this very instant: they need no heap.
  void put(const Event& event) {
    if (event.due == now_ && event.sequence == last_) {
      ready_.push_back(event);
    } else {
      heap_.push_back(event);
      std::push_heap(heap_.begin(), heap_.end(), is_later);
    }
  }

  const Event* find_next() {
    while (!heap_.empty() && slots_[heap_.front().slot].sequence != heap_.front().sequence) {
      pop_heap();  // cancelled
    }
    while (!ready_.empty() && slots_[ready_.front().slot].sequence != ready_.front().sequence) {
      ready_.pop_front();
    }
    if (ready_.empty()) {
      return heap_.empty() ? nullptr : heap_.data();
    }
    return heap_.empty() || is_later(heap_.front(), ready_.front()) ? &ready_.front()
                                                                    : heap_.data();
  }

  void remove(const Event* found) {
    if (found == heap_.data() && !heap_.empty()) {
      pop_heap();
    } else {
      ready_.pop_front();
    }
  }

  void pop_heap() {
    std::pop_heap(heap_.begin(), heap_.end(), is_later);
    heap_.pop_back();
  }

  TimePoint now_{seconds(1)};
  uint64_t last_ = 0;
  size_t waiting_ = 0;
  std::vector<Event> heap_;  // the earliest first
  std::deque<Event> ready_;  // due now, in order
  std::vector<Slot> slots_;
  std::vector<uint64_t> free_;
};

// One event loop in a world.
class SimulatedLoop final : public EventLoop {
 public:
  explicit SimulatedLoop(World& world, World::Owner* owner = nullptr)
      : world_(world), owner_(owner) {}

  void post(Callback callback) override {
    world_.schedule(world_.now(), std::move(callback), owner_);
  }
  TimerId call_at(TimePoint when, Callback callback) override {
    return world_.schedule(when, std::move(callback), owner_);
  }
  void cancel(TimerId timer) override { world_.cancel(timer); }
  TimePoint now() const override { return world_.now(); }
  WallTime wall_now() const override { return world_.wall_now(); }
  bool is_current() const override { return true; }

 private:
  World& world_;
  World::Owner* const owner_;
};

}  // namespace swarm::test
