#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "state/reconciler.h"

namespace swarm::manager {

// All deciders of a leader, in the order in which a round asks them: what makes tasks before what
// places them.
std::vector<std::unique_ptr<state::Reconciler>> make_reconcilers(Random& random);

}  // namespace swarm::manager
