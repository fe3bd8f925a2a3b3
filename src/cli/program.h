#pragma once

#include <string>
#include <vector>

#include "cli/environment.h"

// The command line of swarmctl: a thin client of the control API. It parses, calls api::Client,
// prints; it decides nothing about the swarm. Everything is single threaded and blocking. Texts,
// columns and exit codes follow Docker's swarm mode, word for word where scripts depend on them.
namespace swarm::cli {

// Runs `swarmctl arguments...` and gives the exit code of the process (exit_code.h).
int run(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace swarm::cli
