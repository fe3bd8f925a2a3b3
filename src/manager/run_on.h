#pragma once

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"

namespace swarm::manager {

// Runs `call` on the loop and returns when it has: at once when this is the loop's own thread.
// Otherwise the loop must be running, and must not wait for the caller.
void run_on(EventLoop& loop, absl::AnyInvocable<void()> call);

}  // namespace swarm::manager
