#pragma once

namespace swarm::platform {

// Gives back the memory of program and library code that was mapped in so far, most of which only
// the start needed: a third of what an idle daemon holds. What runs again comes back from the page
// cache, at the price of some hundred minor faults; data is not touched. From any thread.
void release_resident_code();

}  // namespace swarm::platform
