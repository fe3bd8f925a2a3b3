#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "model/node.h"

namespace swarm::manager {

// What a node remembers of its membership, in one small text file of its state folder. It is
// written last when a node enters a swarm and taken away first when it leaves, so that a crash in
// between leaves a node that is not a member. For as long as that takes there is a mark in the
// folder: a folder with files of a membership, but neither record nor mark, has lost its record.
struct NodeRecord {
  model::SwarmId swarm;
  model::NodeId node;
  model::Role role = model::Role::worker;
  model::MemberId member;  // of the Raft group; managers only
  std::string listen_address;
  std::string advertise_address;
  std::string runtime;  // what runs its tasks: "docker" or "process"; empty: not decided yet
  std::string engine;   // path of the engine's socket
  std::vector<std::string> managers;  // where to find the swarm again

  bool operator==(const NodeRecord&) const = default;
};

// Before the first file of a membership is written: marks the folder as unfinished.
Status begin_entry(FileSystem& files, const std::filesystem::path& directory);
// Takes the mark away.
Status save_node_record(FileSystem& files, const std::filesystem::path& directory,
                        const NodeRecord& record);
// NOT_FOUND when the node is no member; DATA_LOSS when the file cannot be understood.
Result<NodeRecord> load_node_record(FileSystem& files, const std::filesystem::path& directory);
// Turns the record, if there is one, into the mark: this needs no room on the disk.
Status begin_leaving(FileSystem& files, const std::filesystem::path& directory);
// Whether an entry or a leave was cut off.
bool is_unfinished(FileSystem& files, const std::filesystem::path& directory);
// Nothing is left of the membership, or all of it is there: takes the mark away.
Status remove_mark(FileSystem& files, const std::filesystem::path& directory);

}  // namespace swarm::manager
