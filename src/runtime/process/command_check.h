#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/process.h"
#include "runtime/probe/check.h"

namespace swarm::runtime {

// Runs a command in the task's environment and folder; succeeds when it ends with 0. One that takes
// too long is killed with all it started.
std::unique_ptr<Check> make_command_check(AsioLoop& loop, std::vector<std::string> command,
                                          std::vector<std::string> environment,
                                          std::string workdir);

}  // namespace swarm::runtime
