#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <vector>

#include "base/asio_loop.h"
#include "base/time.h"
#include "mesh/proxy/peer_link.h"

namespace swarm::mesh {

// Idle links to recently used peers: taking one saves the connection and its handshake. A link that
// breaks while idle leaves by itself. On the loop of the mesh.
class PeerPool {
 public:
  static constexpr size_t kMaxIdlePerPeer = 32;
  static constexpr Duration kMaxIdle = seconds(60);

  struct Peer {
    std::string address;
    model::NodeId node;

    auto operator<=>(const Peer&) const = default;
  };

  explicit PeerPool(AsioLoop& loop);
  ~PeerPool() { clear(); }

  // The link used last; null if there is none.
  std::shared_ptr<PeerLink> take(const Peer& peer);
  // A link without a stream.
  void give(const Peer& peer, std::shared_ptr<PeerLink> link);
  void clear();

 private:
  struct Idle {
    std::shared_ptr<PeerLink> link;
    TimePoint since;
  };

  void sweep();
  void schedule_sweep();

  AsioLoop& loop_;
  std::map<Peer, std::vector<Idle>> idle_;
  boost::asio::steady_timer sweep_timer_;
  bool is_sweep_set_ = false;
};

}  // namespace swarm::mesh
