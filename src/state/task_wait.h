#pragma once

#include <optional>

#include "state/view.h"

// What tasks wait for, in one sentence wherever it is said: in their stored messages, which the
// orchestrators and the scheduler write, and to whoever asks for them. In state, because neither of
// those may include the other.
namespace swarm::state {

// A task that is held back (desired state ready) waits for its restart delay, ...
model::TaskWait wait_for_restart_delay(const model::Task& held);
// ... or until its predecessor has stopped: the drain timeout and the grace period at most.
model::TaskWait wait_for_predecessor(const View& view, const model::Task& held);

// What `stored` waits for; nothing when it does not. `newest` is its newest known status. Its agent
// prepares a task that is held back and does not know what for, so the store knows better then.
std::optional<model::TaskWait> wait_of(const View& view, const model::Task& stored,
                                       const model::TaskStatus& newest);

}  // namespace swarm::state
