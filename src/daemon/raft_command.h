#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace swarm::daemon {

// `swarmd raft ...`: tools for the raft log of a manager, on its state folder, without a running
// swarm. `arguments` are those after `raft`. The result is the exit code: 0, 1 when the log is
// damaged or not there, 125 for wrong usage.
int run_raft_command(const std::vector<std::string>& arguments, FileSystem& files,
                     std::ostream& out, std::ostream& err);

}  // namespace swarm::daemon
