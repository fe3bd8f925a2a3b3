#pragma once

#include <mutex>

#include "base/event_loop.h"

namespace swarm::api {

// The way from gRPC's threads to a loop, which its owner can shut: after `close` nothing is posted
// and the loop may be destroyed, whatever calls are still under way inside gRPC.
class LoopGate {
 public:
  explicit LoopGate(EventLoop& loop) : loop_(&loop) {}

  // From any thread. Dropped once closed.
  void post(Callback callback) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) {
      loop_->post(std::move(callback));
    }
  }

  void close() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  EventLoop* loop_;
};

}  // namespace swarm::api
