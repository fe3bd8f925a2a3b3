#include "daemon/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "base/units.h"
#include "daemon/version.h"
#include "platform/absolute_path.h"

namespace swarm::daemon {

namespace {

constexpr int kUsageError = 125;

constexpr const char* kFooter = R"(
Examples:
  swarmd
  swarmd --runtime process --bundles ./build/dev/bundles
  swarmd --state-dir /tmp/node2 --socket /tmp/node2/swarmd.sock     a second node on this machine
  swarmd raft inspect /var/lib/swarmd       what a manager's log holds, and whether it is whole

Then: swarmctl swarm init, or swarmctl swarm join.)";

// Throws for what CLI11 then explains.
std::filesystem::path absolute_path(const std::string& flag, const std::string& text) {
  Result<std::filesystem::path> path = platform::absolute_path(text);
  if (!path.ok()) {
    throw CLI::ValidationError(flag, std::string(path.status().message()));
  }
  return *std::move(path);
}

// For tests of renewal; people are told of the bound by swarm init.
void add_min_expiry(CLI::App& app, Options& options) {
  const auto set = [&options](const std::string& text) {
    const Result<Duration> validity = parse_duration(text);
    if (!validity.ok()) {
      throw CLI::ValidationError("--min-cert-expiry", std::string(validity.status().message()));
    }
    options.node.min_certificate_validity = *validity;
  };
  app.add_option_function<std::string>(
         "--min-cert-expiry", set, "Least that swarm init --cert-expiry may ask for (default 1h)")
      ->group("");
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, std::ostream& out, int& exit_code) {
  Options options;
  std::string state = "/var/lib/swarmd";
  std::string socket = "/run/swarmd/swarmd.sock";
  std::vector<std::string> bundles;
  CLI::App app("The swarm daemon: runs tasks on this machine, and manages the swarm if asked to.",
               "swarmd");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("swarmd ") + kVersion);
  app.add_option("--state-dir", state, "Where everything durable is kept")->capture_default_str();
  app.add_option("--socket", socket, "Control socket for swarmctl")->capture_default_str();
  app.add_option("--runtime", options.node.agent.runtime,
                 "What runs tasks: docker, process, or auto (docker where an engine answers); "
                 "decided once, when the node enters a swarm")
      ->check(CLI::IsMember({"auto", "docker", "process"}))
      ->capture_default_str();
  app.add_option("--docker-socket", options.node.agent.docker_socket,
                 "Socket of Docker's or Podman's engine (default: DOCKER_HOST, else where either "
                 "has its own)")
      ->envname("SWARMD_DOCKER_SOCKET");
  app.add_option("--bundles", bundles,
                 "Folder of bundles NAME/TAG for the process runtime; may be repeated");
  app.add_option("--mesh-port", options.node.agent.mesh_port, "TCP port between meshes")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  add_min_expiry(app, options);
  const std::map<std::string, log::Level> levels = {{"debug", log::Level::debug},
                                                    {"info", log::Level::info},
                                                    {"warning", log::Level::warning},
                                                    {"error", log::Level::error}};
  std::string level = "info";
  app.add_option("--log-level", level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    options.node.state_directory = absolute_path("--state-dir", state);
    options.node.socket = absolute_path("--socket", socket);
    for (const std::string& folder : bundles) {
      options.node.agent.bundles.push_back(absolute_path("--bundles", folder));
    }
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error, out, std::cerr) == 0 ? 0 : kUsageError;
    return std::nullopt;
  }
  options.log_level = levels.at(level);
  options.node.version = kVersion;
  options.node.agent.version = kVersion;
  return options;
}

}  // namespace swarm::daemon
