#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace swarm::manager {

struct NodeRecord;

// What runs the tasks of a node: decided once, when it enters a swarm, and kept in its record. An
// engine that is away later is a condition of the node and no reason to decide again: its
// containers are still there.
struct RuntimeChoice {
  std::string runtime;  // "docker" or "process"
  std::string engine;   // path of its socket; empty for processes
  std::string reason;   // for the log: "an engine answers on /var/run/docker.sock"

  bool operator==(const RuntimeChoice&) const = default;
};

void record_runtime(const RuntimeChoice& choice, NodeRecord* record);

// Where an engine is looked for, the likeliest first: the socket that was named, else DOCKER_HOST,
// else where Docker and Podman have theirs. Both "unix:///path" and "unix:/path" are understood,
// and a path. INVALID_ARGUMENT for what is no Unix socket.
Result<std::vector<std::string>> engine_sockets(std::string_view option,
                                                std::string_view docker_host,
                                                std::string_view runtime_directory);

// How an engine reacts that is asked what it is.
enum class EngineAnswer {
  answers,
  silent,  // it takes the connection, but does not answer in time
  absent,
};

// `asked`: "auto", "docker" or "process". An engine that is silent is chosen all the same when no
// other answers: it is there.
RuntimeChoice choose_runtime(const std::string& asked, const std::vector<std::string>& sockets,
                             const std::function<EngineAnswer(const std::string&)>& probe);

// FAILED_PRECONDITION when the runtime that was asked for is not the one the node has.
Status check_runtime(const std::string& asked, const std::string& kept);

}  // namespace swarm::manager
