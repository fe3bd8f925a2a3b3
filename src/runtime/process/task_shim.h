#pragma once

#include <span>
#include <string>

namespace swarm::runtime {

// `swarmd task-shim DIRECTORY`: the parent of one task's process. It starts what the directory's
// record says, keeps its logs, stops it when asked to (SIGTERM), and writes down how it ended, all
// the same whether swarmd lives or not. Ends with the exit code of the process.
//
// Call it first thing in main(): it wants a process with one thread, and stays small if nothing
// else has been set up.
int run_task_shim(std::span<const std::string> arguments);

}  // namespace swarm::runtime
