#pragma once

#include <string>

#include "cli/command.h"

namespace CLI {
class App;
}

namespace swarm::cli {

struct GlobalOptions;

// Turns a row of the command table into a CLI11 app with our usage line, examples and global flags.
// `path` is "swarmctl service ls". The environment and the options must outlive the action.
Action prepare_app(CLI::App& app, const std::string& path, const Command& command,
                   Environment& environment, GlobalOptions& options);

}  // namespace swarm::cli
