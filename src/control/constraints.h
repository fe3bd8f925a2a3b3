#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/service.h"
#include "state/view.h"

namespace swarm::control {

// In one form, sorted, each once: two texts that mean the same are one constraint.
void normalise_constraints(std::vector<std::string>* constraints);

// Replaces a prefix in "node.id==PREFIX" by the whole id. What names no node of the swarm is
// refused, since it would never match; `stored` constraints may outlive their node.
Status resolve_node_ids(const state::View& view, const std::vector<std::string>& stored,
                        model::TaskTemplate* task);

}  // namespace swarm::control
