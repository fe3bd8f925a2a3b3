#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/asio_loop.h"
#include "base/log.h"
#include "mesh/proxy/mesh_options.h"
#include "mesh/proxy/mesh_server.h"
#include "platform/descriptors.h"
#include "platform/process.h"
#include "platform/resident_code.h"

namespace swarm::mesh {

namespace {

// By then the first table and certificate are there.
constexpr Duration kStartLasts = seconds(10);

}  // namespace

int run_mesh(const MeshOptions& options) {
  log::set_context("self", options.node.value());
  platform::raise_descriptor_limit();
  // Before the server: connections end with their handlers, and those with the loop.
  AsioLoop loop("mesh");
  auto server = MeshServer::start(loop, options, [&loop] { loop.stop(); });
  if (!server.ok()) {
    log::error("mesh could not start", {{"reason", server.status().message()}});
    platform::write_report(std::string(server.status().message()));
    return 1;
  }
  platform::write_report("");
  boost::asio::signal_set signals(loop.context(), SIGTERM, SIGINT);
  signals.async_wait([&loop](const boost::system::error_code& error, int) {
    if (!error) loop.stop();
  });
  log::info("mesh started",
            {{"data_address", options.data_address}, {"peer_address", options.peer_address}});
  Timer started(loop);
  loop.post([&started] { started.set_after(kStartLasts, &platform::release_resident_code); });
  loop.run();
  log::info("mesh ended");
  if (!(*server)->has_yielded()) {
    std::error_code ignored;
    std::filesystem::remove(options.control_socket, ignored);
  }
  return 0;
}

}  // namespace swarm::mesh
