#pragma once

#include <string_view>

namespace swarm {

// Whether two secrets are equal, in a time that depends on their lengths only, so that an answer's
// delay does not tell how many characters were right.
bool equal_secrets(std::string_view left, std::string_view right);

}  // namespace swarm
