#pragma once

#include "base/result.h"
#include "model/node.h"

namespace swarm::v1 {
class NodeSpec;
class NodeDescription;
class NodeStatus;
class NodeCondition;
class ClosedPort;
class ManagerStatus;
class Node;
}  // namespace swarm::v1

// Nodes. Errors as in service_codec.h.
namespace swarm::wire {

void encode(const model::NodeSpec& spec, v1::NodeSpec* out);
void encode(const model::NodeDescription& description, v1::NodeDescription* out);
void encode(const model::NodeCondition& condition, v1::NodeCondition* out);
void encode(const model::ClosedPort& closed, v1::ClosedPort* out);
void encode(const model::NodeStatus& status, v1::NodeStatus* out);
void encode(const model::ManagerStatus& manager, v1::ManagerStatus* out);
void encode(const model::Node& node, v1::Node* out);

Result<model::NodeSpec> decode(const v1::NodeSpec& in);
Result<model::NodeDescription> decode(const v1::NodeDescription& in);
Result<model::NodeCondition> decode(const v1::NodeCondition& in);
Result<model::ClosedPort> decode(const v1::ClosedPort& in);
Result<model::NodeStatus> decode(const v1::NodeStatus& in);
Result<model::ManagerStatus> decode(const v1::ManagerStatus& in);
Result<model::Node> decode(const v1::Node& in);

}  // namespace swarm::wire
