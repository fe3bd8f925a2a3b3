#pragma once

#include <cstddef>
#include <cstdio>

namespace swarm::platform {

// Whether a person looks at what is written to `stream`.
bool is_terminal(std::FILE* stream);
// Columns of the terminal behind `stream`: 0 where there is none, 80 where it does not say.
size_t terminal_width(std::FILE* stream);

// To be called first. A standard stream that is closed (`>&-`) would give its number to the next
// file or socket that is opened, which then gets what the program prints. Such a number is taken
// by something that fails every write.
void occupy_closed_standard_streams();

}  // namespace swarm::platform
