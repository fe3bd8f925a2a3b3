#include "platform/allocator.h"

#include <malloc.h>

#include "base/check.h"

namespace swarm::platform {

void join_freed_memory_at_once() {
  // No "fast bins"; the cache of each thread, which is as fast and holds a few pieces, stays.
  SWARM_CHECK(mallopt(M_MXFAST, 0) == 1, "glibc refuses M_MXFAST 0");
}

}  // namespace swarm::platform
