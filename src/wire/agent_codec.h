#pragma once

#include "base/result.h"
#include "model/agent_messages.h"

namespace swarm::v1 {
class AgentUp;
class AgentDown;
class Assignment;
class AssignmentSet;
class Endpoint;
class MeshTable;
}  // namespace swarm::v1

// The stream between an agent and the leader. Errors as in service_codec.h; a message of a kind
// this version does not know is UNIMPLEMENTED, so that a newer peer can be told apart from a broken
// one.
namespace swarm::wire {

void encode(const model::AgentUpMessage& message, v1::AgentUp* out);
void encode(const model::AgentDownMessage& message, v1::AgentDown* out);
void encode(const model::Assignment& assignment, v1::Assignment* out);
void encode(const model::AssignmentSet& set, v1::AssignmentSet* out);
void encode(const model::Endpoint& endpoint, v1::Endpoint* out);
void encode(const model::MeshTable& table, v1::MeshTable* out);

Result<model::AgentUpMessage> decode(const v1::AgentUp& in);
Result<model::AgentDownMessage> decode(const v1::AgentDown& in);
Result<model::Assignment> decode(const v1::Assignment& in);
Result<model::AssignmentSet> decode(const v1::AssignmentSet& in);
Result<model::Endpoint> decode(const v1::Endpoint& in);
Result<model::MeshTable> decode(const v1::MeshTable& in);

}  // namespace swarm::wire
