#pragma once

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"

namespace swarm::manager {

// Whether `condition`, asked on the loop again and again, came true within `limit`. Off that loop.
bool wait_until(EventLoop& loop, Duration limit, absl::AnyInvocable<bool()> condition);

}  // namespace swarm::manager
