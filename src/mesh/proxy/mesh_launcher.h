#pragma once

#include <filesystem>
#include <memory>

#include "mesh/proxy/mesh_client.h"
#include "mesh/proxy/mesh_options.h"
#include "platform/process.h"

namespace swarm::mesh {

// Starts `program mesh ...` in a session of its own, so that it lives on when swarmd ends. What it
// logs is appended to `error_log` (empty: nowhere). On the agent's loop.
class MeshLauncher {
 public:
  MeshLauncher(AsioLoop& loop, const std::filesystem::path& program, const MeshOptions& options,
               const std::filesystem::path& error_log);

  // `on_failed`: it ended before it served, and why.
  Status launch(MeshClient::Failed on_failed);
  // The mesh that was started last; null when none was.
  const platform::ProcessId* process() const {
    return process_ == nullptr ? nullptr : &process_->id();
  }

 private:
  AsioLoop& loop_;
  platform::SpawnRequest request_;
  // Watched to collect its exit status and what it says when it cannot start; that it is gone is
  // seen by the control connection.
  std::unique_ptr<platform::WatchedProcess> process_;
};

}  // namespace swarm::mesh
