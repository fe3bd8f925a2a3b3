#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace swarm::api {

// A value that other threads change and a test waits for. The bound only ends a test that fails.
template <class Value>
class Watched {
 public:
  template <class Change>
  void update(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change(value_);
    }
    changed_.notify_all();
  }

  Value get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  // Whether `condition(value)` came true.
  template <class Condition>
  bool wait(Condition condition) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return condition(value_); });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Value value_{};
};

}  // namespace swarm::api
