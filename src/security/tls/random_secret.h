#pragma once

#include <string>

namespace swarm::security {

// `size` bytes from the operating system's generator. Ends the process when there are none: nothing
// secret can be made then.
std::string random_bytes(size_t size);

// 128 random bits as 25 base-36 digits: the secret part of a join token.
std::string random_secret();

}  // namespace swarm::security
