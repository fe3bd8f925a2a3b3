#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "base/time.h"

namespace swarm {

using Callback = absl::AnyInvocable<void()>;

// One thread of control that owns objects. Every object of the control plane belongs to one loop
// and is touched by nobody else; crossing loops is a `post` with values.
//
// Two implementations: AsioLoop (a real thread) and the simulated loop of tests/support, which runs
// all loops of all nodes on virtual time.
class EventLoop {
 public:
  using TimerId = uint64_t;

  virtual ~EventLoop() = default;

  // Runs `callback` on the loop, after everything posted before it. From any thread.
  virtual void post(Callback callback) = 0;

  // Runs `callback` at `when`, or at once if that has passed. On the loop only.
  virtual TimerId call_at(TimePoint when, Callback callback) = 0;

  // Forgets a timer that has not fired; otherwise does nothing. On the loop only.
  virtual void cancel(TimerId timer) = 0;

  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;

  // Whether the calling thread may touch what this loop owns.
  virtual bool is_current() const = 0;
};

// At most one pending call; setting it again replaces it, destroying it cancels it. On the loop
// only.
class Timer {
 public:
  explicit Timer(EventLoop& loop) : loop_(loop) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set_at(TimePoint when, Callback callback);
  void set_after(Duration delay, Callback callback);
  // `deadline` is a stored instant: it is converted with the loop's two clocks as they stand now.
  void set_at(WallTime deadline, Callback callback);
  void cancel();
  bool is_set() const { return pending_; }

 private:
  EventLoop& loop_;
  EventLoop::TimerId id_ = 0;
  bool pending_ = false;
};

// Makes callbacks that do nothing once the owner is gone. Declare it as the last member, so that it
// dies first. The callbacks must run on the loop of the owner.
class Anchor {
 public:
  Anchor() : token_(std::make_shared<char>()) {}
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;

  template <class Function>
  auto bind(Function function) const {
    return [alive = std::weak_ptr<char>(token_),
            function = std::move(function)](auto&&... arguments) mutable {
      if (alive.lock() != nullptr) {
        function(std::forward<decltype(arguments)>(arguments)...);
      }
    };
  }

  // Makes every callback bound so far a no-op.
  void reset() { token_ = std::make_shared<char>(); }

 private:
  std::shared_ptr<char> token_;
};

}  // namespace swarm
