#pragma once

#include <string>
#include <string_view>

namespace swarm::runtime {

// How much of a check's output is told in a task's error.
inline constexpr size_t kMaxToldOutput = 512;

// What a check printed, as one line that no terminal stumbles over: the end of it, control
// characters and what is not UTF-8 escaped ("\n", "\x1b"), "..." in front when it was cut. Empty
// for blank output.
std::string tell_output(std::string_view output);

}  // namespace swarm::runtime
