#pragma once

#include "cli/command.h"

// The commands of `swarmctl service`, by what they do: those that read are in
// service_read_commands.cpp, those that change in service_write_commands.cpp.
namespace swarm::cli {

Action define_service_create(CLI::App& app, Environment& environment);
Action define_service_update(CLI::App& app, Environment& environment);
Action define_service_rollback(CLI::App& app, Environment& environment);
Action define_service_scale(CLI::App& app, Environment& environment);
Action define_service_rm(CLI::App& app, Environment& environment);

Action define_service_ls(CLI::App& app, Environment& environment);
Action define_service_ps(CLI::App& app, Environment& environment);
Action define_service_inspect(CLI::App& app, Environment& environment);
Action define_service_history(CLI::App& app, Environment& environment);

}  // namespace swarm::cli
