#pragma once

#include <span>
#include <string>

namespace swarm::security {

// A big-endian number as lower-case base-36 digits, padded with zeros on the left to `width`. The
// width must be enough for every number of that many bytes (25 for 16 bytes, 50 for 32).
std::string to_base36(std::span<const unsigned char> number, size_t width);

}  // namespace swarm::security
