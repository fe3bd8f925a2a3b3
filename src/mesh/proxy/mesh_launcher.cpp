#include "mesh/proxy/mesh_launcher.h"

#include <utility>

#include "base/asio_loop.h"
#include "base/log.h"

namespace swarm::mesh {

MeshLauncher::MeshLauncher(AsioLoop& loop, const std::filesystem::path& program,
                           const MeshOptions& options, const std::filesystem::path& error_log)
    : loop_(loop) {
  request_.command = {program.string(), "mesh"};
  for (std::string& argument : to_arguments(options)) {
    request_.command.push_back(std::move(argument));
  }
  request_.error_log = error_log;
  request_.wants_report = true;
}

Status MeshLauncher::launch(MeshClient::Failed on_failed) {
  platform::ProcessEvents events;
  events.on_report = [on_failed = std::move(on_failed)](std::string reason) mutable {
    if (!reason.empty()) on_failed(std::move(reason));
  };
  events.on_exit = [](platform::ExitStatus status) {
    log::warning("mesh process ended", {{"code", status.code}});
  };
  SWARM_ASSIGN_OR_RETURN(process_, platform::spawn_process(loop_, request_, std::move(events)));
  return absl::OkStatus();
}

}  // namespace swarm::mesh
