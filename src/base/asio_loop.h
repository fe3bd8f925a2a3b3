#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"

namespace boost::asio {
class io_context;
}

namespace swarm {

// The event loop of production: an Asio io_context run by exactly one thread.
//
// `start` runs it on a thread of its own; `run` lends it the calling thread. Stopping is safe from
// any thread; what was posted and has not run is dropped when the loop is destroyed.
class AsioLoop final : public EventLoop {
 public:
  explicit AsioLoop(std::string name);
  ~AsioLoop() override;

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

  boost::asio::io_context& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
