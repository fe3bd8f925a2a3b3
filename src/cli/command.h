#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace swarm::cli {

struct Environment;
class Session;

// What a command does once its flags are parsed; gives the exit code of the process.
using Action = std::function<int(Session&)>;

// One command as a row of data. Only the command in use is turned into a CLI11 tree, which keeps
// start-up short; shell completion and the documentation tests walk all of them.
struct Command {
  std::string_view name;       // "ls"
  std::string_view alias;      // "list", or nothing
  std::string_view arguments;  // "[OPTIONS] SERVICE [SERVICE...]", for the usage line
  std::string_view summary;
  std::string_view examples;  // one a line
  // Declares flags and arguments on the app and returns what to run after parsing.
  Action (*define)(CLI::App& app, Environment& environment);
  // Flags end at the first argument: the rest is the container's command line.
  bool stops_at_first_argument = false;
};

struct CommandGroup {
  std::string_view name;  // "service"; empty for commands without a group
  std::string_view summary;
  std::span<const Command> commands;
};

std::span<const Command> swarm_commands();
std::span<const Command> node_commands();
std::span<const Command> service_commands();
std::span<const Command> top_level_commands();  // version, completion

// All of them, in the order of the help text.
std::span<const CommandGroup> command_groups();

}  // namespace swarm::cli
