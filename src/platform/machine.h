#pragma once

#include <cstdint>

namespace swarm::platform {

// What this machine offers to tasks. Zero where the system does not say.
struct Machine {
  int64_t cpus = 0;
  int64_t memory_bytes = 0;
};
Machine describe_machine();

}  // namespace swarm::platform
