#include "platform/allocator.h"

#include <malloc.h>

namespace swarm::platform {

void join_freed_memory_at_once() {
  // No "fast bins"; the cache of each thread, which is as fast and holds a few pieces, stays.
  (void)mallopt(M_MXFAST, 0);
}

}  // namespace swarm::platform
