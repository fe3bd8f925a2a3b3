#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarm::cli {

// What people type who come from Docker's swarm mode, and what they mistype.

// A sentence for a flag that the reference has and this command has not (yet), with what to use
// instead: "--network is not supported yet: ...". Empty for any other. `path` is "service create".
std::string not_supported_flag(std::string_view path, std::string_view flag);

// The same for commands: "service logs", "stack", "stack deploy".
std::string not_supported_command(std::string_view path);

// Of `known`, the word that was most likely meant by `typed`; empty when none is near. Besides
// slips of the finger, --env finds --env-add, and --env-add finds --env.
std::string nearest_word(std::string_view typed, const std::vector<std::string>& known);

}  // namespace swarm::cli
