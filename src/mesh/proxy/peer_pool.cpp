#include "mesh/proxy/peer_pool.h"

#include <utility>

namespace swarm::mesh {

PeerPool::PeerPool(AsioLoop& loop) : loop_(loop), sweep_timer_(loop.context()) {}

std::shared_ptr<PeerLink> PeerPool::take(const Peer& peer) {
  const auto found = idle_.find(peer);
  if (found == idle_.end()) return nullptr;
  std::shared_ptr<PeerLink> link;
  while (link == nullptr && !found->second.empty()) {
    link = std::move(found->second.back().link);
    found->second.pop_back();
    if (link->is_closed()) link = nullptr;
  }
  if (found->second.empty()) idle_.erase(found);
  return link;
}

void PeerPool::give(const Peer& peer, std::shared_ptr<PeerLink> link) {
  if (link->is_closed()) return;
  std::vector<Idle>& idle = idle_[peer];
  if (idle.size() >= kMaxIdlePerPeer) {
    link->close();
    return;
  }
  // Nothing is to be said without a stream: whatever comes is the end of the link.
  link->read_frame([watched = std::weak_ptr(link)](ErrorCode, const Frame&) {
    if (const auto idle_link = watched.lock()) idle_link->close();
  });
  idle.push_back({std::move(link), loop_.now()});
  schedule_sweep();
}

void PeerPool::clear() {
  for (auto& [peer, links] : std::exchange(idle_, {})) {
    for (const Idle& idle : links) {
      idle.link->close();
    }
  }
}

void PeerPool::schedule_sweep() {
  if (is_sweep_set_) return;
  is_sweep_set_ = true;
  sweep_timer_.expires_after(kMaxIdle / 2);
  sweep_timer_.async_wait([this](ErrorCode error) {
    // Aborted: the pool is gone.
    if (error) return;
    is_sweep_set_ = false;
    sweep();
  });
}

void PeerPool::sweep() {
  const auto limit = loop_.now() - kMaxIdle;
  for (auto& [peer, links] : idle_) {
    std::erase_if(links, [limit](const Idle& idle) {
      const bool is_over = idle.link->is_closed() || idle.since < limit;
      if (is_over) idle.link->close();
      return is_over;
    });
  }
  std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
  if (!idle_.empty()) schedule_sweep();
}

}  // namespace swarm::mesh
