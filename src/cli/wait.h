#pragma once

#include <optional>
#include <string>

#include "cli/convergence.h"
#include "cli/session.h"

namespace swarm::cli {

// How often the swarm is asked.
inline constexpr Duration kPollPeriod = milliseconds(100);
// A change of leader takes a second or two; a swarm that is gone for so long is not coming back.
inline constexpr Duration kMaxUnavailable = seconds(60);

struct WaitOptions {
  Convergence::Command command;
  bool is_quiet = false;
};

// Polls until the service has converged or cannot, showing how it goes; gives the exit code.
// Bounded by --timeout; Ctrl-C ends the wait and leaves the operation to the swarm.
int wait_for_convergence(Session& session, const std::string& service_id,
                         const WaitOptions& options);

}  // namespace swarm::cli
