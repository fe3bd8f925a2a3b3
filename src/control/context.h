#pragma once

#include "base/random.h"
#include "base/time.h"
#include "state/view.h"

namespace swarm::control {

// What a use case may look at. Use cases are functions from the store as it is and a request to a
// change set; every transport calls these, so that no two can drift apart. They look up nothing
// else, wait for nothing, and change nothing themselves.
//
// Errors: INVALID_ARGUMENT (with the right form), NOT_FOUND, ALREADY_EXISTS, ABORTED (stale
// version), FAILED_PRECONDITION (with what to do first). Each sentence names the object and the
// cure.
struct Context {
  const state::View& view;
  WallTime now;
  Random& random;
};

}  // namespace swarm::control
