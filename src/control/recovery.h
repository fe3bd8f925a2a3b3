#pragma once

#include "base/result.h"
#include "control/context.h"
#include "model/node.h"

namespace swarm::control {

// The first transaction of a swarm that goes on with `self` as its only manager, from what a
// survivor or a backup holds. The other managers are none any more: their members never return, and
// a machine that comes back is told to be a worker. `self` is stored as given if the swarm does not
// know the node; of a known one only its place among the managers changes.
//
// Services, tasks, workers, the certificate authority and the join tokens stay as they are.
// FAILED_PRECONDITION without a swarm.
Result<state::ChangeSet> recover_swarm(Context context, model::Node self);

}  // namespace swarm::control
