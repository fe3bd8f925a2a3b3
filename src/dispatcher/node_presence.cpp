#include "dispatcher/node_presence.h"

#include <algorithm>
#include <utility>

namespace swarm::dispatcher {

NodePresence::NodePresence(EventLoop& loop, const state::Store& store, MeshProbe probe,
                           Events events)
    : loop_(loop),
      store_(store),
      probe_(std::move(probe)),
      events_(std::move(events)),
      heartbeats_(loop, [this](const std::vector<model::NodeId>& nodes) { went_silent(nodes); }) {}

void NodePresence::expect(const model::NodeId& node, Duration within) {
  heartbeats_.expect(node, within);
}

void NodePresence::heard(const model::NodeId& node, Duration patience) {
  silent_since_.erase(node);
  // So that a node without a mesh is lost when its time is over, and not later.
  const Duration left_for_mesh =
      probe_ == nullptr ? Duration{} : std::min(kMeshProbeLimit, patience / 2);
  heartbeats_.expect(node, patience - left_for_mesh);
}

void NodePresence::restarts(const model::NodeId& node) {
  if (probe_ != nullptr) {
    silent_since_[node] = loop_.now();
    heartbeats_.expect(node, kMeshProbePeriod);
  }
}

void NodePresence::forget(const model::NodeId& node) {
  silent_since_.erase(node);
  heartbeats_.forget(node);
}

void NodePresence::went_silent(std::vector<model::NodeId> nodes) {
  if (probe_ == nullptr) {
    lose(std::move(nodes));
    return;
  }
  for (const model::NodeId& node : nodes) {
    if (!events_.replace(node)) {
      ask_mesh(node);
    }
  }
}

void NodePresence::ask_mesh(const model::NodeId& id) {
  const state::NodePtr node = store_.view().node(id);
  const TimePoint since = silent_since_.try_emplace(id, loop_.now()).first->second;
  if (node == nullptr || loop_.now() - since >= kDaemonGrace) {
    lose({id});
    return;
  }
  probe_(id, node->description.mesh_address, kMeshProbeLimit,
         anchor_.bind([this, id, since](bool answers) {
           const auto silent = silent_since_.find(id);
           // Otherwise it was heard of meanwhile.
           if (silent != silent_since_.end() && silent->second == since) {
             answered(id, answers);
           }
         }));
}

void NodePresence::answered(const model::NodeId& id, bool answers) {
  if (events_.replace(id)) {
    return;
  }
  const state::NodePtr node = store_.view().node(id);
  const bool is_restarting = node != nullptr && node->status.is_restarting &&
                             loop_.now() - silent_since_.at(id) < kRestartGrace;
  if (!answers && !is_restarting) {
    lose({id});
    return;
  }
  if (answers) {
    events_.on_daemon_away(id);
  }
  heartbeats_.expect(id, kMeshProbePeriod);
}

void NodePresence::lose(std::vector<model::NodeId> nodes) {
  std::erase_if(nodes, [this](const model::NodeId& node) { return events_.replace(node); });
  for (const model::NodeId& node : nodes) {
    silent_since_.erase(node);
  }
  events_.on_lost(nodes);
}

}  // namespace swarm::dispatcher
