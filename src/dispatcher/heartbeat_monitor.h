#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "model/ids.h"

namespace swarm::dispatcher {

// Until when each node must be heard of again. Deadlines are soft: a new leader starts anew. On the
// control loop; one timer for all nodes.
class HeartbeatMonitor {
 public:
  using Lost = std::function<void(const std::vector<model::NodeId>&)>;

  // `lost` gets the nodes whose time ran out, once each.
  HeartbeatMonitor(EventLoop& loop, Lost lost);

  // The node was heard; it must be again within this time.
  void expect(const model::NodeId& node, Duration within);
  void forget(const model::NodeId& node);

 private:
  void arm();
  void fire();

  EventLoop& loop_;
  Lost lost_;
  std::map<model::NodeId, TimePoint> deadlines_;
  std::set<std::pair<TimePoint, model::NodeId>> order_;
  TimePoint armed_for_;
  Timer timer_;
};

}  // namespace swarm::dispatcher
