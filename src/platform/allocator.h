#pragma once

namespace swarm::platform {

// Makes freeing memory take the same short time always. By default small pieces are put aside when
// they are freed, and joined all at once when a large piece is: after the tasks of a big swarm that
// is a pause of a tenth of a second, on whichever loop happens to free next (bench/store shows it).
// Once, before there are threads. An allocator that is not glibc's (a sanitizer's, one that was
// preloaded) is left as it is.
void join_freed_memory_at_once();

}  // namespace swarm::platform
