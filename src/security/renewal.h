#pragma once

#include "base/time.h"

// When a node renews its certificate. Pure.
namespace swarm::security {

// Certificates are valid from before they are made: clocks of nodes differ.
inline constexpr Duration kBackdate = hours(1);

struct Validity {
  WallTime not_before;
  WallTime not_after;
};

// A random point (`draw` in [0, 1)) in 50 to 80 % of the time from its making to its end: early
// enough for many attempts, and never all nodes at once.
WallTime renewal_time(const Validity& validity, double draw);
// How long to wait after an attempt that failed: a fortieth of that time.
Duration renewal_retry(const Validity& validity);

}  // namespace swarm::security
