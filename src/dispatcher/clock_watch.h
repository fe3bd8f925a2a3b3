#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace swarm::dispatcher {

// A clock this far from the swarm's misleads people, certificates and what tasks write.
inline constexpr Duration kMaxClockSkew = seconds(5);
// One heartbeat may have waited on its way, for one that was stopped for as long as it likes.
inline constexpr int kBeatsToBelieve = 3;

// Compares the clocks of nodes with the swarm's, by their heartbeats. Values only.
class ClockWatch {
 public:
  // What is to be said of the node's clock from now on; empty when it is right. Nothing when that
  // has not changed.
  std::optional<std::string> heard(const model::NodeId& node, WallTime sent_at, WallTime now);
  void forget(const model::NodeId& node) { clocks_.erase(node); }

 private:
  struct Clock {
    int beats_off = 0;
    std::optional<bool> is_told_off;
  };

  std::map<model::NodeId, Clock> clocks_;
};

}  // namespace swarm::dispatcher
