#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/asio_loop.h"
#include "base/time.h"
#include "mesh/proxy/peer_pool.h"
#include "mesh/proxy/task_leases.h"
#include "mesh/proxy/tcp_end.h"
#include "mesh/proxy/tls_identity.h"
#include "mesh/routing.h"

namespace swarm::mesh {

class OwnerSession;

// How long the mesh waits for things. Tests shorten them.
struct MeshTimeouts {
  Duration hold = kDefaultHold;  // a client without an endpoint
  Duration connect_local = seconds(1);
  Duration connect_remote = seconds(2);  // with the handshake and the owner's answer
  Duration parked = minutes(2);          // a kept HTTP connection without a task behind it
  Duration linger = seconds(5);          // a client that does not close after its answer
};

// At most so many clients wait for an endpoint; beyond, they are refused at once.
inline constexpr size_t kMaxHeld = 4096;

// What all connections of one mesh share. Every connection holds it, so it lives as long as the
// last. On the loop of the mesh (one thread).
class MeshNode : public std::enable_shared_from_this<MeshNode> {
 public:
  MeshNode(AsioLoop& loop, model::NodeId self, MeshTimeouts timeouts);
  ~MeshNode();

  TimePoint now() const { return loop_.now(); }

  // ---- waiting clients ----
  // Runs `wake` (once) at the next change of admission or table. False: too many wait already.
  using HoldId = uint64_t;
  bool hold(HoldId id, std::function<void()> wake);
  HoldId new_hold() { return ++last_hold_; }
  void release(HoldId id) { held_.erase(id); }
  void wake_held();
  // ---- links of other meshes ----
  // Told when the mesh makes way for another, while it lives.
  void add_link(std::weak_ptr<OwnerSession> link);
  void let_links_go();
  bool has_let_links_go() const { return has_let_links_go_; }

  // The mesh ends: nothing it keeps may hold a connection any longer.
  void let_go();

  boost::asio::io_context& context;
  const MeshTimeouts timeouts;
  Routing routing;
  std::shared_ptr<TaskLeases> leases;
  // Nobody before the first credentials: then only local tasks can be reached.
  std::shared_ptr<TlsIdentity> identity;
  PeerPool pool;
  IoScratch scratch;
  // After a task lost a connection. Of the server.
  std::function<void(const model::TaskId&)> on_connection_closed;

 private:
  AsioLoop& loop_;
  HoldId last_hold_ = 0;
  std::map<HoldId, std::function<void()>> held_;  // in the order of arrival
  std::vector<std::weak_ptr<OwnerSession>> links_;
  size_t links_to_sweep_at_ = 64;
  bool has_let_links_go_ = false;
};

}  // namespace swarm::mesh
