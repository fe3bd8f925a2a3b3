#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/log.h"
#include "mesh/proxy/mesh_options.h"
#include "mesh/proxy/mesh_server.h"

namespace swarm::mesh {

int run_mesh(const MeshOptions& options) {
  log::set_context("node", options.node.value());
  // Before the server: connections end with their handlers, and those with the context.
  boost::asio::io_context context(1);
  auto server = MeshServer::start(context, options, [&context] { context.stop(); });
  if (!server.ok()) {
    log::error("mesh could not start", {{"reason", server.status().message()}});
    return 1;
  }
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&context](const boost::system::error_code& error, int) {
    if (!error) context.stop();
  });
  log::info("mesh started",
            {{"data_address", options.data_address}, {"peer_address", options.peer_address}});
  context.run();
  log::info("mesh ended");
  std::error_code ignored;
  std::filesystem::remove(options.control_socket, ignored);
  return 0;
}

}  // namespace swarm::mesh
