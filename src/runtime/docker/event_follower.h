#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"

namespace swarm::runtime {

// Keeps one stream of events open, for as long as it lives: opens it again when the engine went
// away.
//
// An event is a hint to look at a container, never the truth about it: `on_open` asks for a look at
// all of them *after* the stream has begun, so nothing that happens before or after is missed, and
// no position in the stream has to be remembered.
class EventFollower {
 public:
  struct Callbacks {
    absl::AnyInvocable<void()> on_open;
    absl::AnyInvocable<void(const EngineEvent&)> on_event;
    absl::AnyInvocable<void()> on_lost;  // the stream has ended, or could not be opened
  };

  EventFollower(AsioLoop& loop, EngineClient& engine, Callbacks callbacks);

 private:
  void connect();
  void on_end(const Status& status);

  EngineClient& engine_;
  Callbacks callbacks_;
  Duration delay_;
  bool was_open_ = false;
  Timer retry_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
