#pragma once

namespace swarm::platform {

// What connections from the network may not take: the local socket, the disk and the processes of
// tasks need descriptors, too.
inline constexpr int kDescriptorReserve = 256;

// Lets this process have as many descriptors as the system allows it. Failures are of no matter:
// then it has those it has.
void raise_descriptor_limit();

// Whether a descriptor that was just made is of the reserve: numbers are given out from the lowest
// that is free. Of a small limit the reserve is a quarter.
bool is_of_reserve(int descriptor);

// Another descriptor of the same file, -1 when there is none to be had.
int duplicate_descriptor(int descriptor);

}  // namespace swarm::platform
