#include "platform/machine.h"

#include <unistd.h>

#include <algorithm>

namespace swarm::platform {

Machine describe_machine() {
  const auto known = [](int64_t value) { return std::max<int64_t>(value, 0); };
  return {.cpus = known(::sysconf(_SC_NPROCESSORS_ONLN)),
          .memory_bytes = known(::sysconf(_SC_PHYS_PAGES)) * known(::sysconf(_SC_PAGESIZE))};
}

}  // namespace swarm::platform
