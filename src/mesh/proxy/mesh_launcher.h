#pragma once

#include <filesystem>

#include "mesh/proxy/mesh_client.h"
#include "mesh/proxy/mesh_options.h"

namespace swarm::mesh {

// Starts `program mesh ...` in a session of its own, so that it lives on when swarmd ends. What it
// logs is appended to `error_log` (empty: nowhere). On the agent's loop.
MeshClient::Launch make_mesh_launcher(AsioLoop& loop, std::filesystem::path program,
                                      MeshOptions options, std::filesystem::path error_log);

}  // namespace swarm::mesh
