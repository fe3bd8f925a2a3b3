#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "mesh/proxy/mesh_node.h"
#include "model/ids.h"

namespace swarm::mesh {

// Everything a mesh process is told at its start; the rest comes over the control socket.
struct MeshOptions {
  std::filesystem::path control_socket;  // in a folder private to its owner
  model::SwarmId swarm;
  model::NodeId node;
  std::string data_address = "0.0.0.0";       // where published ports are opened
  std::string peer_address = "0.0.0.0:7946";  // where other meshes connect
  MeshTimeouts timeouts;                      // not on the command line
};

// Where swarmd keeps the mesh's listening sockets beyond its end (platform/listener_keeper.h).
std::filesystem::path keeper_socket(const std::filesystem::path& control_socket);

// The command line of `swarmd mesh`, after that word: both directions in one place.
std::vector<std::string> to_arguments(const MeshOptions& options);
// INVALID_ARGUMENT names the option.
Result<MeshOptions> parse_mesh_arguments(const std::vector<std::string>& arguments);

// `swarmd mesh`: serves until told to end over the control socket or by SIGTERM. The exit code.
int run_mesh(const MeshOptions& options);

}  // namespace swarm::mesh
