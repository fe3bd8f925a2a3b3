#pragma once

#include <string_view>

#include "base/result.h"
#include "control/context.h"
#include "model/node.h"

namespace swarm::control {

// Availability, labels, and the desired role (promote, demote). Demoting the last manager, or one
// whose loss would leave no quorum of `reachable_managers`, is refused with the reason.
Result<state::ChangeSet> update_node(Context context, const model::NodeId& id,
                                     model::Position version, const model::NodeSpec& spec,
                                     size_t reachable_managers);

// A manager must be demoted first; a ready node must be drained and down, or `force`.
// Its certificate is refused from then on; its tasks are orphaned.
Result<state::ChangeSet> remove_node(Context context, std::string_view reference, bool force);

}  // namespace swarm::control
