#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/docker/engine_client.h"
#include "runtime/probe/check.h"

namespace swarm::runtime {

// Runs a container's own health command in it. For the time before the engine's first check: that
// one comes only after a whole interval.
//
// A command that takes too long cannot be ended through the engine: until it has ended by itself,
// every further run fails without beginning another.
std::unique_ptr<Check> make_exec_check(AsioLoop& loop, EngineClient& engine, std::string container,
                                       std::vector<std::string> command);

}  // namespace swarm::runtime
