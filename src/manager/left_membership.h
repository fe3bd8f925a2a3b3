#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "manager/agent_role.h"
#include "manager/node_record.h"
#include "manager/runtime_choice.h"

namespace swarm::manager {

// A state folder that holds a membership which cannot be taken up again, because a file of it is
// lost: what can still be said of it, and how what runs of it is ended. Nothing here changes the
// files.

// All that belongs to a membership, beside its record, and goes with it.
inline constexpr std::array<std::string_view, 5> kMembershipFiles = {
    "raft", "raft.promises", "agent", "node.pem", "data.key"};

// Those of them that are there: "raft, node.pem"; empty when there are none.
std::string left_of_a_membership(FileSystem& files, const std::filesystem::path& directory);

// As much of the record as the folder still tells: the record itself, or swarm and node from the
// certificate or from a task's directory. Empty where nothing tells.
NodeRecord left_record(FileSystem& files, const std::filesystem::path& directory);

// Stops and removes the tasks of that node under each of the runtimes, then ends the mesh of the
// folder, whosever it is. Blocking, with a bound: what does not end in time is logged.
void end_left_membership(const AgentRoleOptions& options, const NodeRecord& left,
                         const std::vector<RuntimeChoice>& runtimes,
                         const std::filesystem::path& directory, FileSystem& files);

}  // namespace swarm::manager
