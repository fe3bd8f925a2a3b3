#include "dispatcher/heartbeat_monitor.h"

namespace swarm::dispatcher {

HeartbeatMonitor::HeartbeatMonitor(EventLoop& loop, Lost lost)
    : loop_(loop), lost_(std::move(lost)), timer_(loop) {}

void HeartbeatMonitor::expect(const model::NodeId& node, Duration within) {
  forget(node);
  const TimePoint deadline = loop_.now() + within;
  deadlines_[node] = deadline;
  order_.emplace(deadline, node);
  arm();
}

void HeartbeatMonitor::forget(const model::NodeId& node) {
  if (const auto found = deadlines_.find(node); found != deadlines_.end()) {
    order_.erase({found->second, node});
    deadlines_.erase(found);
  }
}

void HeartbeatMonitor::arm() {
  if (order_.empty()) {
    return;
  }
  // A timer that fires too early only looks; it need not move with every heartbeat.
  const TimePoint earliest = order_.begin()->first;
  if (!timer_.is_set() || armed_for_ > earliest) {
    armed_for_ = earliest;
    timer_.set_at(earliest, [this] { fire(); });
  }
}

void HeartbeatMonitor::fire() {
  std::vector<model::NodeId> lost;
  while (!order_.empty() && order_.begin()->first <= loop_.now()) {
    lost.push_back(order_.begin()->second);
    deadlines_.erase(order_.begin()->second);
    order_.erase(order_.begin());
  }
  arm();
  if (!lost.empty()) {
    lost_(lost);
  }
}

}  // namespace swarm::dispatcher
