#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "base/event_loop.h"

namespace swarm::runtime {

// Lets a bounded number of calls run at a time; the others wait in order.
class CallQueue {
 public:
  explicit CallQueue(size_t limit) : limit_(limit) {}

  // `call` begins now or later; `finished` must follow each.
  void push(Callback call) {
    waiting_.push_back(std::move(call));
    run_next();
  }
  void finished() {
    --running_;
    run_next();
  }

 private:
  void run_next() {
    while (running_ < limit_ && !waiting_.empty()) {
      ++running_;
      Callback call = std::move(waiting_.front());
      waiting_.pop_front();
      call();
    }
  }

  size_t limit_;
  size_t running_ = 0;
  std::deque<Callback> waiting_;
};

}  // namespace swarm::runtime
