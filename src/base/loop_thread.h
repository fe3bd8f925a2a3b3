#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/event_loop.h"

// What the two real loops of this folder share.
namespace swarm {

// The thread that runs a loop: one of its own, or one that is lent.
class LoopThread {
 public:
  explicit LoopThread(std::string name) : name_(std::move(name)) {}

  template <class Run>
  void start(Run run) {
    SWARM_CHECK(!thread_.joinable(), "loop '" + name_ + "' is started twice");
    thread_ = std::thread(std::move(run));
  }
  // On the thread itself, around all it does for the loop.
  template <class Body>
  void lend(Body body) {
    owner_ = std::this_thread::get_id();
    body();
    owner_ = std::thread::id{};
  }
  // If there is one and the caller is another.
  void join() {
    if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id()) {
      thread_.join();
    }
  }
  bool is_current() const { return owner_ == std::this_thread::get_id(); }

 private:
  const std::string name_;
  std::atomic<std::thread::id> owner_{};
  std::thread thread_;
};

// What was posted to a loop. Belongs before everything that owns callbacks: what one holds may post
// when it is destroyed.
struct Posted {
  std::mutex mutex;
  std::vector<Callback> waiting;  // with the mutex
  std::vector<Callback> running;  // taken out of `waiting`; the loop's own

  // Those that were taken; the rest of them stays once `is_stopped()`.
  template <class IsStopped>
  void run(IsStopped is_stopped) {
    for (Callback& callback : running) {
      if (is_stopped()) {
        return;
      }
      Callback run = std::move(callback);
      run();
    }
    running.clear();
  }

  // Once nothing runs any more. What a dropped callback owns may post in its turn when it is
  // destroyed.
  void drop() {
    std::vector<Callback> dropped = std::move(running);
    do {
      dropped.clear();
      const std::lock_guard lock(mutex);
      dropped.swap(waiting);
    } while (!dropped.empty());
  }
};

}  // namespace swarm
