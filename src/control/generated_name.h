#pragma once

#include <string>

#include "base/random.h"
#include "state/view.h"

namespace swarm::control {

// A name for a service whose user gave none: an adjective and a noun that no service has.
std::string generate_name(const state::View& view, Random& random);

}  // namespace swarm::control
