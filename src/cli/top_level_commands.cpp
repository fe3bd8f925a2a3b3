#include <array>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/flags.h"
#include "cli/session.h"

// version | completion
namespace swarm::cli {

namespace {

Action define_version(CLI::App&, Environment&) {
  return [](Session& session) {
    session.print("Client:");
    session.print(" Version:  " + session.environment().version);
    const Result<api::LocalNode::Info> info = session.client().info();
    if (!info.ok()) {
      return session.fail(info.status());
    }
    session.print("");
    session.print("Server:");
    session.print(" Version:  " + info->version);
    session.print(" Runtime:  " + info->runtime);
    if (!info->notice.empty()) {
      session.print(" Notice:   " + info->notice);
    }
    if (!info->membership_fault.empty()) {
      session.print(" Refused:  " + info->membership_fault);
    }
    if (info->is_member) {
      session.print(" Node ID:  " + info->node.value());
      session.print(" Role:     " + std::string(model::to_string(info->role)));
      if (!info->manager_refusal.empty()) {
        session.print(" Refused:  " + info->manager_refusal);
      }
    }
    return exit_code::kOk;
  };
}

Action define_completion(CLI::App& app, Environment&) {
  auto shell = std::make_shared<std::string>();
  add_argument(app, "SHELL", true, *shell);
  return [shell](Session& session) {
    Environment& environment = session.environment();
    if (*shell != "bash" && *shell != "zsh") {
      return session.fail(
          absl::InvalidArgumentError("no completion for \"" + *shell + "\": use bash or zsh"));
    }
    environment.terminal.out.write(*shell == "bash" ? bash_completion(environment)
                                                    : zsh_completion(environment));
    return exit_code::kOk;
  };
}

constexpr std::array kCommands = {
    Command{"version", "", "[OPTIONS]", "Show the versions of swarmctl and swarmd",
            "swarmctl version", &define_version},
    Command{"completion", "", "bash|zsh", "Print a completion script for the shell",
            "source <(swarmctl completion bash)", &define_completion},
};

}  // namespace

std::span<const Command> top_level_commands() {
  return kCommands;
}

}  // namespace swarm::cli
