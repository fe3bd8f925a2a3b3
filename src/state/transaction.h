#pragma once

#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/change_set.h"
#include "state/tables.h"

namespace swarm::state {

// What a change set would do to `tables` as transaction `position`: objects with version and times
// stamped, beside what they replace. For the sources of this module. Changes nothing.
//
// Errors: ABORTED when the change set was made from an older state (a stale version, an object or a
// reference that is gone); ALREADY_EXISTS for an id or a name in use; INVALID_ARGUMENT for what no
// state could make right (an object twice, a changed revision).
Result<std::vector<Change>> plan_transaction(const Tables& tables, const ChangeSet& changes,
                                             model::Position position, WallTime now);

}  // namespace swarm::state
