#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/node.h"
#include "model/validate.h"

// What constraints and placement preferences say about a node. In model, because the scheduler and
// the orchestrators must agree on it and neither may include the other.
namespace swarm::model {

// The value of "node.id", "node.hostname", "node.ip", "node.role", "node.platform.os",
// "node.platform.arch", "node.labels.X" or "engine.labels.X". A label the node has not is the empty
// string. The part before a label's name is compared without case. Nothing for any other key.
std::optional<std::string> node_attribute(const Node& node, std::string_view key);

// Values compare without case, architectures by either of their names (amd64 is x86_64), and
// "node.ip" with an address or a range. A key that does not exist never matches, with either
// operator.
bool matches(const Constraint& constraint, const Node& node);
bool matches_all(const std::vector<Constraint>& constraints, const Node& node);
// Whether the node meets the constraints of a stored template. A constraint that cannot be read,
// which validation refuses, is met by no node: no task is placed, kept or taken over against it.
bool meets_constraints(const Placement& placement, const Node& node);

}  // namespace swarm::model
