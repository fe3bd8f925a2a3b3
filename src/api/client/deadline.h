#pragma once

#include <grpc/support/time.h>

#include "base/time.h"

namespace swarm::api {

// An instant of gRPC's monotonic clock: a jump of the calendar ends no call.
inline gpr_timespec deadline_after(Duration delay) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(delay.count(), GPR_TIMESPAN));
}

}  // namespace swarm::api
