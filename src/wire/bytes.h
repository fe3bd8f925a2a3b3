#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/agent_messages.h"

// Single values as bytes, for whoever keeps them in a file of its own or sends them through a local
// socket (the agent's assignments, the mesh's table) and must not see protobuf. The `parse_*`
// functions refuse anything else with DATA_LOSS.
namespace swarm::wire {

std::string to_bytes(const model::Assignment& assignment);
std::string to_bytes(const model::AssignmentSet& set);
std::string to_bytes(const model::TaskStatus& status);
std::string to_bytes(const model::MeshTable& table);
std::string to_bytes(const model::ServiceSpec& spec);
std::string to_bytes(const model::TaskTemplate& task);

Result<model::Assignment> parse_assignment(std::string_view bytes);
Result<model::AssignmentSet> parse_assignment_set(std::string_view bytes);
Result<model::TaskStatus> parse_task_status(std::string_view bytes);
Result<model::MeshTable> parse_mesh_table(std::string_view bytes);
Result<model::ServiceSpec> parse_service_spec(std::string_view bytes);
Result<model::TaskTemplate> parse_task_template(std::string_view bytes);

}  // namespace swarm::wire
