#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/context.h"
#include "model/node.h"

namespace swarm::control {

// Availability, labels, and the desired role (promote, demote). Demoting the last manager is
// refused with the reason, and so is a demotion after which those of the managers that are to stay
// one that are in `reachable` would be no quorum.
Result<state::ChangeSet> update_node(Context context, const model::NodeId& id,
                                     model::Position version, const model::NodeSpec& spec,
                                     const std::set<model::MemberId>& reachable);

// A ready node must be down, or `force`. A manager must be demoted first; with `force` one that is
// not in `reachable` goes at once when the others are a quorum without it. The node's certificate
// is refused from then on; its tasks are orphaned.
Result<state::ChangeSet> remove_node(Context context, std::string_view reference, bool force,
                                     const std::set<model::MemberId>& reachable);

// The node did not become a manager because of `reason`: it is a worker again, or gone if it was
// never heard of.
Result<state::ChangeSet> give_up_promotion(Context context, const model::NodeId& id,
                                           const std::string& reason);

}  // namespace swarm::control
