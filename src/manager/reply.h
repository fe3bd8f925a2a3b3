#pragma once

#include <utility>

#include "absl/functional/any_invocable.h"
#include "base/result.h"

namespace swarm::manager {

// A callback that is called exactly once: if nobody does before it is destroyed, because the
// manager stopped under it, it reports UNAVAILABLE. A caller over the network must never be left
// waiting.
template <class Argument>
class Reply {
 public:
  explicit Reply(absl::AnyInvocable<void(Argument)> callback) : callback_(std::move(callback)) {}
  Reply(Reply&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (callback_ != nullptr) {
      std::exchange(callback_,
                    nullptr)(absl::UnavailableError("this manager is stopping: try another one"));
    }
  }

  void operator()(Argument argument) { std::exchange(callback_, nullptr)(std::move(argument)); }

 private:
  absl::AnyInvocable<void(Argument)> callback_;
};

}  // namespace swarm::manager
