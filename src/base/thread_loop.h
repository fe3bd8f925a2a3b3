#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"

namespace swarm {

// The event loop of production for what has no sockets: callbacks, timers, and one thread that
// sleeps on a condition variable. An AsioLoop is woken with a lock held that the woken thread needs
// at once, which on a busy processor costs two more switches.
//
// Stopping is safe from any thread; what was posted and has not run is dropped when the loop is
// destroyed.
class ThreadLoop final : public EventLoop {
 public:
  explicit ThreadLoop(std::string name);
  ~ThreadLoop() override;

  // Runs it on a thread of its own; `run` lends it the calling one.
  void start();
  void run();
  // Ends `run` after the callback that is running. Joins the thread if there is one and the caller
  // is another.
  void stop();

  void post(Callback callback) override;
  TimerId call_at(TimePoint when, Callback callback) override;
  void cancel(TimerId timer) override;
  TimePoint now() const override;
  WallTime wall_now() const override;
  bool is_current() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
