#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The signals of Linux by name: what a task may be stopped with, and what it was ended by. The
// same on every machine, so no header of the operating system is asked.
namespace swarm::model {

// "SIGTERM", "term", "RTMIN+3" or "15": the forms that engines take. Nothing for what is none.
std::optional<int32_t> parse_signal(std::string_view text);

// "SIGTERM"; empty for a number without a name of its own.
std::string_view signal_name(int32_t number);

}  // namespace swarm::model
