#pragma once

#include <string_view>

// Broken invariants end the process, in release builds too: a manager that goes on with a state it
// did not expect is worse than one that restarts from its log.
namespace swarm {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view detail);

}  // namespace swarm

// SWARM_CHECK(condition, "what was expected, what was seen").
#define SWARM_CHECK(condition, detail)                                 \
  do {                                                                 \
    if (!(condition)) [[unlikely]] {                                   \
      ::swarm::check_failed(__FILE__, __LINE__, #condition, (detail)); \
    }                                                                  \
  } while (false)
