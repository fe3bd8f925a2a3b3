#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/flags.h"
#include "cli/not_supported.h"
#include "cli/session.h"

namespace swarm::cli {

namespace {

constexpr std::string_view kProgram = "swarmctl";

// The words typed so far, for usage lines: "swarmctl service ls".
struct Position {
  const CommandGroup* group = nullptr;
  const Command* command = nullptr;

  // "service ls".
  std::string name() const {
    std::string text;
    if (group != nullptr && !group->name.empty()) {
      text += std::string(group->name);
    }
    if (command != nullptr) {
      text += (text.empty() ? "" : " ") + std::string(command->name);
    }
    return text;
  }
  std::string path() const {
    const std::string words = name();
    return std::string(kProgram) + (words.empty() ? "" : " " + words);
  }
  std::string arguments() const {
    if (command != nullptr) {
      return std::string(command->arguments);
    }
    return group != nullptr ? "COMMAND" : "[OPTIONS] COMMAND";
  }
};

int usage_error(Environment& environment, const Position& position, std::string_view message) {
  environment.terminal.err.write(std::string(message) + "\n\nUsage:  " + position.path() + " " +
                                 position.arguments() + "\n\nRun '" + position.path() +
                                 " --help' for more information\n");
  return exit_code::kUsageError;
}

void append_row(std::string& text, std::string_view name, std::string_view summary) {
  constexpr size_t kNameColumn = 14;
  std::string row = "  " + std::string(name);
  row.append(row.size() < kNameColumn ? kNameColumn - row.size() : 1, ' ');
  text += row + std::string(summary) + "\n";
}

std::string group_help(const CommandGroup& group) {
  std::string text = "Usage:  swarmctl " + std::string(group.name) + " COMMAND\n\n" +
                     std::string(group.summary) + "\n\nCommands:\n";
  for (const Command& command : group.commands) {
    append_row(text, command.name, command.summary);
  }
  return text + "\nExample:\n  " +
         std::string(group.commands.front().examples.substr(
             0, group.commands.front().examples.find('\n'))) +
         "\n\nRun 'swarmctl " + std::string(group.name) +
         " COMMAND --help' for more information on a command.\n";
}

std::string program_help() {
  std::string text =
      "Usage:  swarmctl [OPTIONS] COMMAND\n\nControls a swarm through the local swarmd\n\n"
      "Commands:\n";
  for (const CommandGroup& group : command_groups()) {
    if (!group.name.empty()) {
      append_row(text, group.name, group.summary);
      continue;
    }
    for (const Command& command : group.commands) {
      append_row(text, command.name, command.summary);
    }
  }
  return text +
         "\nOptions:\n"
         "  --host ENDPOINT      Where swarmd listens (default unix:/run/swarmd/swarmd.sock, or\n"
         "                       $SWARM_HOST)\n"
         "  --timeout DURATION   Give up after this long\n"
         "  --version            Print the version of swarmctl\n"
         "\nExample:\n  swarmctl service create --name web --publish 8080:80 web:1.0\n"
         "\nRun 'swarmctl COMMAND --help' for more information on a command.\n";
}

bool is_help(std::string_view word) {
  return word == "--help" || word == "-h" || word == "help";
}

const CommandGroup* find_group(std::string_view name) {
  for (const CommandGroup& group : command_groups()) {
    if (!group.name.empty() && group.name == name) {
      return &group;
    }
  }
  return nullptr;
}

const Command* find_command(const CommandGroup& group, std::string_view name) {
  for (const Command& command : group.commands) {
    if (command.name == name || (!command.alias.empty() && command.alias == name)) {
      return &command;
    }
  }
  return nullptr;
}

std::string with_suggestion(std::string message, std::string_view typed,
                            const std::vector<std::string>& known) {
  const std::string meant = nearest_word(typed, known);
  return meant.empty() ? message : message + " (did you mean " + meant + "?)";
}

std::string unknown_flag(const std::string& word, const Position& position, const CLI::App& app) {
  const std::string flag = word.substr(0, word.find('='));
  const std::string known_elsewhere = not_supported_flag(position.name(), flag);
  return known_elsewhere.empty() ? with_suggestion("unknown flag: " + flag, flag, flag_names(app))
                                 : known_elsewhere;
}

// `path` is what was typed, "service lst"; its last word is not known among `known`.
std::string unknown_command(const std::string& path, const std::vector<std::string>& known) {
  const std::string known_elsewhere = not_supported_command(path);
  return known_elsewhere.empty()
             ? with_suggestion("unknown command: " + path, path.substr(path.rfind(' ') + 1), known)
             : known_elsewhere;
}

std::vector<std::string> names_of(const CommandGroup& group) {
  std::vector<std::string> names;
  for (const Command& command : group.commands) {
    names.emplace_back(command.name);
    if (!command.alias.empty()) {
      names.emplace_back(command.alias);
    }
  }
  return names;
}

// Of groups, and of the commands without one.
std::vector<std::string> top_level_names() {
  std::vector<std::string> names = names_of(command_groups().back());
  for (const CommandGroup& group : command_groups()) {
    if (!group.name.empty()) {
      names.emplace_back(group.name);
    }
  }
  return names;
}

// What CLI11 says about a missing argument or an unknown flag, in the reference's order: a flag
// that is not known explains an argument that is missing.
std::string message_of(const CLI::ParseError& error, const Position& position,
                       const CLI::App& app) {
  for (const std::string& word : app.remaining()) {
    if (word.size() > 1 && word.front() == '-') {
      return unknown_flag(word, position, app);
    }
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return "unexpected argument: " + app.remaining().front();
  }
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return "a value is missing after " + text.substr(0, text.find(':'));
  }
  return text;
}

// Where flags end at the first argument, CLI11 takes an unknown flag for that argument.
std::string problem_of_first_argument(const Position& position, const CLI::App& app) {
  const std::vector<std::string> words = app.remaining();
  if (!words.empty() && words.front() != "--" && words.front().starts_with('-')) {
    return unknown_flag(words.front(), position, app);
  }
  return words_after_flags(app).empty() ? "IMAGE is required" : "";
}

class Run {
 public:
  Run(Environment& environment, GlobalOptions options)
      : environment_(environment), options_(std::move(options)) {}

  int command(const Position& position, std::vector<std::string> arguments) {
    const Command& command = *position.command;
    CLI::App app;
    const Action action = prepare_app(app, position.path(), command, environment_, options_);
    try {
      arguments = with_empty_values_split(app, arguments, command.stops_at_first_argument);
      std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
      app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      environment_.terminal.out.write(app.help(position.path()));
      return exit_code::kOk;
    } catch (const CLI::ParseError& error) {
      return usage_error(environment_, position, message_of(error, position, app));
    }
    if (command.stops_at_first_argument) {
      if (const std::string problem = problem_of_first_argument(position, app); !problem.empty()) {
        return usage_error(environment_, position, problem);
      }
    }
    Session session(environment_, options_);
    return action(session);
  }

 private:
  Environment& environment_;
  GlobalOptions options_;
};

// Flags before the command; what is left starts with the command.
std::vector<std::string> take_global_flags(const std::vector<std::string>& arguments,
                                           GlobalOptions& options) {
  CLI::App app;
  app.set_help_flag();
  app.allow_windows_style_options(false);
  app.prefix_command();
  add_global_flags(app, options);
  std::vector<std::string> words = with_empty_values_split(app, arguments, true);
  std::reverse(words.begin(), words.end());
  app.parse(std::move(words));
  return app.remaining();
}

int dispatch(const std::vector<std::string>& words, const GlobalOptions& options,
             Environment& environment) {
  Output& out = environment.terminal.out;
  if (words.empty() || is_help(words[0])) {
    out.write(program_help());
    return exit_code::kOk;
  }
  if (words[0] == "--version") {
    out.write("swarmctl version " + environment.version + "\n");
    return exit_code::kOk;
  }
  Position position;
  position.group = find_group(words[0]);
  size_t used = 1;
  if (position.group == nullptr) {
    position.group = &command_groups().back();
    position.command = find_command(*position.group, words[0]);
    if (position.command == nullptr) {
      const bool is_flag = words[0].starts_with('-');
      return usage_error(environment, Position{},
                         is_flag ? with_suggestion("unknown flag: " + words[0], words[0],
                                                   {"--host", "--timeout", "--version", "--help"})
                                 : unknown_command(words[0], top_level_names()));
    }
  } else if (words.size() == 1 || is_help(words[1])) {
    out.write(group_help(*position.group));
    return exit_code::kOk;
  } else {
    position.command = find_command(*position.group, words[1]);
    if (position.command == nullptr) {
      return usage_error(environment, position,
                         unknown_command(words[0] + " " + words[1], names_of(*position.group)));
    }
    used = 2;
  }
  return Run(environment, options)
      .command(position, {words.begin() + static_cast<ptrdiff_t>(used), words.end()});
}

}  // namespace

std::span<const CommandGroup> command_groups() {
  static const std::array groups = {
      CommandGroup{"swarm", "Manage the swarm", swarm_commands()},
      CommandGroup{"node", "Manage nodes", node_commands()},
      CommandGroup{"service", "Manage services", service_commands()},
      CommandGroup{"", "", top_level_commands()},
  };
  return groups;
}

namespace {

int run_command(const std::vector<std::string>& arguments, Environment& environment) {
  GlobalOptions options;
  try {
    const std::vector<std::string> words = take_global_flags(arguments, options);
    return dispatch(words, options, environment);
  } catch (const CLI::ParseError& error) {
    return usage_error(environment, Position{}, error.what());
  }
}

}  // namespace

int run(const std::vector<std::string>& arguments, Environment& environment) {
  const int code = run_command(arguments, environment);
  const Status written = environment.terminal.out.status();
  if (written.ok()) {
    return code;
  }
  if (!absl::IsCancelled(written)) {
    environment.terminal.err.write(
        "Error: cannot write the output: " + std::string(written.message()) + "\n");
  }
  return code == exit_code::kOk ? exit_code::kError : code;
}

}  // namespace swarm::cli
