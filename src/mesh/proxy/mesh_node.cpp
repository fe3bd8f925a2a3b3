#include "mesh/proxy/mesh_node.h"

#include "mesh/proxy/owner_session.h"

#include <utility>

namespace swarm::mesh {

MeshNode::MeshNode(AsioLoop& loop, model::NodeId self, MeshTimeouts limits)
    : context(loop.context()),
      timeouts(limits),
      routing(std::move(self), Random::from_system(), limits.hold),
      leases(std::make_shared<TaskLeases>(routing,
                                          [this](const model::TaskId& task) {
                                            if (on_connection_closed) on_connection_closed(task);
                                          })),
      pool(loop),
      loop_(loop) {}

MeshNode::~MeshNode() {
  leases->detach();
}

bool MeshNode::hold(HoldId id, std::function<void()> wake) {
  if (!held_.contains(id) && held_.size() >= kMaxHeld) return false;
  held_[id] = std::move(wake);
  return true;
}

void MeshNode::wake_held() {
  // Those that find nothing hold again: they are put into the emptied map.
  auto woken = std::exchange(held_, {});
  for (auto& [id, wake] : woken) {
    wake();
  }
}

void MeshNode::add_link(std::weak_ptr<OwnerSession> link) {
  if (links_.size() >= links_to_sweep_at_) {
    std::erase_if(links_, [](const auto& known) { return known.expired(); });
    links_to_sweep_at_ = 2 * links_.size() + 64;
  }
  links_.push_back(std::move(link));
}

void MeshNode::let_links_go() {
  has_let_links_go_ = true;
  pool.clear();
  for (const auto& known : std::exchange(links_, {})) {
    if (const auto link = known.lock()) link->close_if_idle();
  }
}

void MeshNode::let_go() {
  on_connection_closed = nullptr;
  std::exchange(held_, {});
  pool.clear();
}

}  // namespace swarm::mesh
