#pragma once

#include <vector>

#include "state/view.h"

namespace swarm::manager {

// What happened to services and nodes, one line an incident, in the log of the manager that decided
// it: rollouts that begin and end, tasks that fail, nodes that are lost and come back. On the
// control loop of the leader.
void log_incidents(const state::View& view, const std::vector<state::Change>& changes);

}  // namespace swarm::manager
