#pragma once

#include <string>

namespace swarm::cli {

struct Environment;

// Scripts for the shell, made from the command table and the flags the commands declare.
std::string bash_completion(Environment& environment);
std::string zsh_completion(Environment& environment);

}  // namespace swarm::cli
