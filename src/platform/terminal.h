#pragma once

#include <cstddef>
#include <cstdio>

namespace swarm::platform {

// Whether a person looks at what is written to `stream`.
bool is_terminal(std::FILE* stream);
// Columns of the terminal behind `stream`; 80 where there is none.
size_t terminal_width(std::FILE* stream);

}  // namespace swarm::platform
