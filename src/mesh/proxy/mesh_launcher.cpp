#include "mesh/proxy/mesh_launcher.h"

#include <memory>
#include <utility>

#include "base/asio_loop.h"
#include "base/log.h"
#include "platform/process.h"

namespace swarm::mesh {

namespace {

platform::SpawnRequest make_request(const std::filesystem::path& program,
                                    const MeshOptions& options,
                                    const std::filesystem::path& error_log) {
  platform::SpawnRequest request;
  request.command = {program.string(), "mesh"};
  for (std::string& argument : to_arguments(options)) {
    request.command.push_back(std::move(argument));
  }
  request.error_log = error_log;
  return request;
}

}  // namespace

MeshClient::Launch make_mesh_launcher(AsioLoop& loop, std::filesystem::path program,
                                      MeshOptions options, std::filesystem::path error_log) {
  // Watched only to collect its exit status; that it is gone is seen by the control connection.
  return [&loop, request = make_request(program, options, error_log),
          process = std::unique_ptr<platform::WatchedProcess>()]() mutable {
    auto spawned = platform::spawn_process(
        loop, request, {nullptr, [](platform::ExitStatus status) {
                          log::warning("mesh process ended", {{"code", status.code}});
                        }});
    if (!spawned.ok()) return spawned.status();
    process = *std::move(spawned);
    return absl::OkStatus();
  };
}

}  // namespace swarm::mesh
