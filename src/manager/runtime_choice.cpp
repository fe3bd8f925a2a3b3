#include "manager/runtime_choice.h"

#include <optional>

#include "absl/strings/str_join.h"
#include "manager/node_record.h"
#include "model/node.h"

namespace swarm::manager {

namespace {

Result<std::string> socket_path(std::string_view address, std::string_view source) {
  std::string_view path = address;
  for (const std::string_view scheme : {"unix://", "unix:"}) {
    if (path.starts_with(scheme)) {
      path.remove_prefix(scheme.size());
      break;
    }
  }
  if (!path.starts_with('/')) {
    return absl::InvalidArgumentError(std::string(source) + " is \"" + std::string(address) +
                                      "\", which is not a Unix socket: use unix:///PATH" +
                                      ", or choose a socket with swarmd --docker-socket");
  }
  return std::string(path);
}

}  // namespace

void record_runtime(const RuntimeChoice& choice, NodeRecord* record) {
  record->runtime = choice.runtime;
  record->engine = choice.engine;
}

Result<std::vector<std::string>> engine_sockets(std::string_view option,
                                                std::string_view docker_host,
                                                std::string_view runtime_directory) {
  if (!option.empty()) {
    SWARM_ASSIGN_OR_RETURN(std::string path, socket_path(option, "--docker-socket"));
    return std::vector{std::move(path)};
  }
  if (!docker_host.empty()) {
    SWARM_ASSIGN_OR_RETURN(std::string path, socket_path(docker_host, "DOCKER_HOST"));
    return std::vector{std::move(path)};
  }
  std::vector<std::string> sockets = {"/var/run/docker.sock", "/run/podman/podman.sock"};
  if (runtime_directory.starts_with('/')) {
    sockets.push_back(std::string(runtime_directory) + "/podman/podman.sock");
  }
  return sockets;
}

RuntimeChoice choose_runtime(const std::string& asked, const std::vector<std::string>& sockets,
                             const std::function<EngineAnswer(const std::string&)>& probe) {
  if (asked == model::kProcessRuntime) {
    return {std::string(model::kProcessRuntime), "", "it was asked for"};
  }
  std::optional<RuntimeChoice> silent;
  for (const std::string& socket : sockets) {
    const EngineAnswer answer = probe(socket);
    if (answer == EngineAnswer::answers) {
      return {"docker", socket, "an engine answers on " + socket};
    }
    if (answer == EngineAnswer::silent && !silent) {
      silent = {"docker", socket, "there is an engine on " + socket + ", but it does not answer"};
    }
  }
  if (silent) {
    return *silent;
  }
  const std::string none = "no engine answers on " + absl::StrJoin(sockets, ", ");
  if (asked == "docker") {
    return {"docker", sockets.front(), "it was asked for, although " + none};
  }
  return {std::string(model::kProcessRuntime), "", none};
}

Status check_runtime(const std::string& asked, const std::string& kept) {
  if (asked == "auto" || asked == kept) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "this node runs its tasks with the runtime " + kept +
      " since it entered the swarm, and --runtime " + asked +
      " contradicts that: start swarmd without --runtime, or leave the swarm and enter it "
      "again with the other runtime");
}

}  // namespace swarm::manager
