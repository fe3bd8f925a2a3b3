#pragma once

#include <functional>
#include <map>
#include <vector>

#include "dispatcher/heartbeat_monitor.h"
#include "dispatcher/mesh_probe.h"
#include "state/store.h"

namespace swarm::dispatcher {

// Whether the nodes are there. One that was not heard of in time is lost, unless only its daemon is
// away: then its mesh still answers, its tasks run, and it keeps them for `kDaemonGrace`; one that
// said that it restarts may be without both for `kRestartGrace`. On the control loop.
class NodePresence {
 public:
  struct Events {
    // The node is silent: hands its session to another daemon of the node that waits for it, and
    // returns whether there was one.
    std::function<bool(const model::NodeId&)> replace;
    std::function<void(const model::NodeId&)> on_daemon_away;
    std::function<void(const std::vector<model::NodeId>&)> on_lost;
  };

  // Without a probe a node that is silent is lost.
  NodePresence(EventLoop& loop, const state::Store& store, MeshProbe probe, Events events);

  // Of a node that a leader before has heard of.
  void expect(const model::NodeId& node, Duration within);
  // The node was heard of, and is lost when it is silent for `patience`.
  void heard(const model::NodeId& node, Duration patience);
  void restarts(const model::NodeId& node);
  void forget(const model::NodeId& node);

 private:
  void went_silent(std::vector<model::NodeId> nodes);
  void ask_mesh(const model::NodeId& node);
  void answered(const model::NodeId& node, bool answers);
  void lose(std::vector<model::NodeId> nodes);

  EventLoop& loop_;
  const state::Store& store_;
  MeshProbe probe_;
  Events events_;
  HeartbeatMonitor heartbeats_;
  std::map<model::NodeId, TimePoint> silent_since_;
  Anchor anchor_;
};

}  // namespace swarm::dispatcher
