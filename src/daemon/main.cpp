#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "api/grpc_setup.h"
#include "base/log.h"
#include "daemon/options.h"
#include "daemon/raft_command.h"
#include "daemon/standard_output.h"
#include "daemon/status.h"
#include "manager/node.h"
#include "mesh/proxy/mesh_options.h"
#include "platform/descriptors.h"
#include "platform/file_system.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/resident_code.h"
#include "runtime/process/task_shim.h"

namespace swarm::daemon {

namespace {

constexpr Duration kStatusPeriod = seconds(1);
// After starting or taking another role a node is busy no longer than this many periods.
constexpr int kPeriodsToSettle = 10;

// Tells the service manager what the node is doing, whenever that has changed, and that this loop
// and the locks it takes are alive, if it wants to know; gives back what only the change needed;
// and collects children that the part of the node that started them did not live to see end.
class StatusReport {
 public:
  StatusReport(boost::asio::io_context& context, const manager::Node& node)
      : node_(node), timer_(context) {
    look();
  }

 private:
  void look() {
    std::string line = status_line(node_.info());
    platform::collect_unwatched_children();
    if (has_watchdog_) {
      platform::notify_service_manager("WATCHDOG=1");
    }
    if (line != last_) {
      platform::notify_service_manager("STATUS=" + line);
      last_ = std::move(line);
      periods_to_settle_ = kPeriodsToSettle;
    } else if (periods_to_settle_ > 0) {
      --periods_to_settle_;
      if (periods_to_settle_ == 0) {
        platform::release_resident_code();
      }
    }
    timer_.expires_after(period_);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) {
        look();
      }
    });
  }

  // Twice in every interval of the watchdog, as its documentation asks.
  static Duration period_for(std::optional<Duration> watchdog) {
    return watchdog ? std::min<Duration>(kStatusPeriod, *watchdog / 2) : kStatusPeriod;
  }

  const manager::Node& node_;
  const bool has_watchdog_ = platform::watchdog_interval().has_value();
  const Duration period_ = period_for(platform::watchdog_interval());
  boost::asio::steady_timer timer_;
  std::string last_;
  int periods_to_settle_ = 0;
};

// SIGHUP asks other daemons to read their files again; this one has none.
void note_hangups(boost::asio::signal_set& hangups) {
  hangups.async_wait([&hangups](const boost::system::error_code& error, int) {
    if (!error) {
      log::info("hangup ignored: there is nothing to reload");
      note_hangups(hangups);
    }
  });
}

// Waits until the service manager or a person asks for the end.
void wait_for_stop(const manager::Node& node) {
  boost::asio::io_context context(1);
  StatusReport report(context, node);
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&context](const boost::system::error_code&, int number) {
    log::info("stop requested", {{"signal", number}});
    context.stop();
  });
  boost::asio::signal_set hangups(context, SIGHUP);
  note_hangups(hangups);
  context.run();
}

int run_daemon(int argc, char** argv) {
  int exit_code = 0;
  StandardOutput out;
  std::optional<Options> options = parse_options(argc, argv, out.stream(), exit_code);
  if (!options.has_value()) {
    return out.end(exit_code);
  }
  log::set_level(options->log_level);
  platform::ignore_broken_connections();
  platform::raise_descriptor_limit();
  platform::ignore_hangup();
  api::set_up_grpc();
  const std::unique_ptr<FileSystem> files = platform::make_file_system();
  Result<std::unique_ptr<manager::Node>> node =
      manager::Node::open(std::move(options->node), *files);
  Status status = node.status();
  if (status.ok()) {
    status = (*node)->start();
  }
  if (!status.ok()) {
    log::error("swarmd could not start", {{"error", status.message()}});
    return 1;
  }
  log::info("swarmd started");
  platform::notify_service_manager("READY=1\nSTATUS=" + status_line((*node)->info()));
  wait_for_stop(**node);
  platform::notify_service_manager("STOPPING=1");
  (*node)->stop();
  log::info("swarmd stopped");
  return 0;
}

int run_mesh_process(const std::vector<std::string>& arguments) {
  const Result<mesh::MeshOptions> options = mesh::parse_mesh_arguments(arguments);
  if (!options.ok()) {
    log::error("mesh could not start", {{"error", options.status().message()}});
    return 1;
  }
  return mesh::run_mesh(*options);
}

}  // namespace

}  // namespace swarm::daemon

// The shim, the mesh and the tools are this same program under another first word, so that a node
// needs one file.
int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role == "task-shim") {
    const std::vector<std::string> arguments(argv + 2, argv + argc);
    return swarm::runtime::run_task_shim(arguments);
  }
  if (role == "mesh") {
    return swarm::daemon::run_mesh_process({argv + 2, argv + argc});
  }
  if (role == "raft") {
    const std::unique_ptr<swarm::FileSystem> files = swarm::platform::make_file_system();
    swarm::daemon::StandardOutput out;
    return out.end(
        swarm::daemon::run_raft_command({argv + 2, argv + argc}, *files, out.stream(), std::cerr));
  }
  return swarm::daemon::run_daemon(argc, argv);
}
