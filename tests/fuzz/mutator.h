#pragma once

#include <span>
#include <string>

#include "base/random.h"

namespace swarm::fuzz {

// One of the seeds with a few changes: bits, numbers at the borders of their range, bytes that are
// cut out, repeated, put in or taken over from another seed. The same generator gives the same.
std::string mutate(std::span<const std::string> seeds, Random& random);

}  // namespace swarm::fuzz
