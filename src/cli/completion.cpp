#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "cli/app.h"
#include "cli/session.h"

namespace swarm::cli {

namespace {

// What a shell needs to know about one command, read off its flags.
struct Completions {
  std::vector<std::string> flags;
  std::vector<std::string> value_flags;  // take a value that cannot be guessed
  std::vector<std::pair<std::vector<std::string>, std::string>> choices;  // flag names, words
  std::string argument;                                                   // "SERVICE", "NODE", ...
};

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  return names;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : std::string(separator)) + word;
  }
  return text;
}

std::string spaces_for_bars(std::string words) {
  for (char& c : words) {
    c = c == '|' ? ' ' : c;
  }
  return words;
}

Completions completions_of(const std::string& path, const Command& command,
                           Environment& environment) {
  CLI::App app;
  GlobalOptions options;
  const Action action = prepare_app(app, path, command, environment, options);
  Completions result;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      result.argument = option->get_name(true, false);
      continue;
    }
    const std::vector<std::string> names = names_of(*option);
    result.flags.insert(result.flags.end(), names.begin(), names.end());
    const std::string type = option->get_type_name();
    if (option->get_items_expected_max() == 0) {
      continue;
    }
    if (type.find('|') != type.npos) {
      result.choices.emplace_back(names, spaces_for_bars(type));
    } else {
      result.value_flags.insert(result.value_flags.end(), names.begin(), names.end());
    }
  }
  return result;
}

std::string argument_source(const std::string& argument) {
  if (argument == "SERVICE" || argument == "SERVICE=REPLICAS") {
    return "names=services";
  }
  if (argument == "NODE") {
    return "names=nodes";
  }
  if (argument == "ROLE") {
    return "offered='worker manager'";
  }
  return argument == "SHELL" ? "offered='bash zsh'" : "";
}

std::string command_case(const std::string& pattern, const Completions& completions) {
  std::string text = "    " + pattern + ")\n      flags='" + joined(completions.flags, " ") + "'\n";
  if (const std::string source = argument_source(completions.argument); !source.empty()) {
    text += "      " + source + "\n";
  }
  text += "      case \"$prev\" in\n";
  for (const auto& [names, words] : completions.choices) {
    text += "        " + joined(names, "|") + ") values='" + words + "' ;;\n";
  }
  text += "        " + joined(completions.value_flags, "|") + ") values=none ;;\n";
  return text + "      esac ;;\n";
}

std::string names_in(const CommandGroup& group) {
  std::string text;
  for (const Command& command : group.commands) {
    text += (text.empty() ? "" : " ") + std::string(command.name);
  }
  return text;
}

// Sets flags, offered, names and values for $line ("service update") and $prev. Valid in both
// shells.
std::string table_function(Environment& environment) {
  std::string top;
  std::string cases;
  for (const CommandGroup& group : command_groups()) {
    const std::string group_name(group.name);
    top += (top.empty() ? "" : " ") + (group_name.empty() ? names_in(group) : group_name);
    if (!group_name.empty()) {
      cases += "    '" + group_name + "') offered='" + names_in(group) + "' flags='--help' ;;\n";
    }
    for (const Command& command : group.commands) {
      const std::string prefix = group_name.empty() ? "" : group_name + " ";
      std::string pattern = "'" + prefix + std::string(command.name) + "'";
      if (!command.alias.empty()) {
        pattern += "|'" + prefix + std::string(command.alias) + "'";
      }
      const std::string path = "swarmctl " + prefix + std::string(command.name);
      cases += command_case(pattern, completions_of(path, command, environment));
    }
  }
  return "__swarmctl_table() {\n"
         "  flags='' offered='' names='' values=''\n"
         "  case \"$line\" in\n"
         "    '') offered='" +
         top +
         "' flags='--host --timeout --version --help'\n"
         "      case \"$prev\" in --host|--timeout) values=none ;; esac ;;\n" +
         cases +
         "  esac\n"
         "}\n";
}

// The words of the line that name the command; flags and their values are passed over.
constexpr std::string_view kHelpers = R"sh(
__swarmctl_line() {
  local word skip='' count=0
  line=''
  for word in "$@"; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case "$word" in
      --host|--timeout) skip=1 ;;
      -*) ;;
      swarm|node|service)
        if [ $count -eq 0 ]; then line="$word"; count=1
        elif [ $count -eq 1 ]; then line="$line $word"; count=2; fi ;;
      *)
        if [ $count -eq 0 ]; then line="$word"; count=2
        elif [ $count -eq 1 ]; then line="$line $word"; count=2; fi ;;
    esac
  done
}

__swarmctl_names() {
  case "$1" in
    services) command swarmctl --timeout 2s service ls --format '{{.Name}}' 2>/dev/null ;;
    nodes) command swarmctl --timeout 2s node ls --format '{{.Hostname}}' 2>/dev/null ;;
  esac
}

# Prints what may stand at the word that begins with $1.
__swarmctl_candidates() {
  if [ "$values" = none ]; then return; fi
  if [ -n "$values" ]; then printf '%s\n' "$values"; return; fi
  case "$1" in
    -*) printf '%s\n' "$flags" ;;
    *) printf '%s\n' "$offered"; __swarmctl_names "$names" ;;
  esac
}
)sh";

constexpr std::string_view kBash = R"sh(
_swarmctl() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
  local line flags offered names values
  if [ "$prev" = "=" ]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$cur" = "=" ]; then cur=''; fi
  __swarmctl_line "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  __swarmctl_table
  COMPREPLY=($(compgen -W "$(__swarmctl_candidates "$cur")" -- "$cur"))
}
complete -F _swarmctl swarmctl
)sh";

constexpr std::string_view kZsh = R"sh(
_swarmctl() {
  local cur="${words[CURRENT]}" prev="${words[CURRENT-1]}"
  local -a typed
  typed=("${(@)words[2,CURRENT-1]}")
  local line flags offered names values
  __swarmctl_line "${typed[@]}"
  __swarmctl_table
  compadd -- ${=$(__swarmctl_candidates "$cur")}
}
# Autoloaded from the folder of completions, this file is the body of the first call; sourced, it
# registers the function.
if [ "${funcstack[1]}" = _swarmctl ]; then
  _swarmctl "$@"
elif [ -n "${functions[compdef]}" ]; then
  compdef _swarmctl swarmctl
fi
)sh";

}  // namespace

std::string bash_completion(Environment& environment) {
  return "# bash completion of swarmctl; load it with: source <(swarmctl completion bash)\n" +
         table_function(environment) + std::string(kHelpers) + std::string(kBash);
}

std::string zsh_completion(Environment& environment) {
  return "#compdef swarmctl\n"
         "# zsh completion of swarmctl; load it with: source <(swarmctl completion zsh)\n" +
         table_function(environment) + std::string(kHelpers) + std::string(kZsh);
}

}  // namespace swarm::cli
