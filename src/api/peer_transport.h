#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "api/credentials_source.h"
#include "base/event_loop.h"
#include "base/fault_counter.h"
#include "base/result.h"
#include "model/ids.h"
#include "raft/core/transport.h"
#include "security/identity.h"

namespace swarm {
class AsioLoop;
}
namespace swarm::platform {
class TcpHandle;
}

namespace swarm::api {

class LoopGate;
class PeerLink;
class PeerSession;
class PeerTls;

// Raft messages between managers over TLS (peers/frame.h): one connection to each peer, kept open
// and made again when it breaks, and once a snapshot is sent to it another, so that it keeps no
// heartbeat waiting. What cannot be sent soon is dropped; Raft sends again. The connections of
// other members come in through the server.
//
// It is no gRPC: a stream of that wakes two more threads for each message and sends a packet to
// acknowledge it.
//
// On the raft loop. After destruction nothing is called.
class PeerTransport final : public raft::Transport {
 public:
  // On the loop.
  struct Events {
    // Each time a connection to `peer` is refused: its machine is up and its process is gone. A
    // broken connection is tried again at once, so this comes within milliseconds of a crash.
    std::function<void(raft::MemberId peer)> refused;
    std::function<void(raft::MemberId from, std::string message)> received;
    // Whether the node was removed from the swarm, and must not be heard any more.
    std::function<bool(const model::NodeId& node)> is_removed;
  };
  using Intake = std::function<void(platform::TcpHandle)>;
  // Whether `node` answers at `address`; `done` on the loop, within the time of a connection.
  using DialBack = std::function<void(const std::string& address, const model::NodeId& node,
                                      absl::AnyInvocable<void(Status)> done)>;

  PeerTransport(AsioLoop& loop, raft::MemberId self, CredentialsSource credentials, Events events);
  ~PeerTransport() override;

  void set_peer(raft::MemberId peer, const std::string& address) override;
  void remove_peer(raft::MemberId peer) override;
  void send(raft::MemberId to, std::string message) override;
  void send_bulk(raft::MemberId to, std::string message) override;
  void reset_peer(raft::MemberId peer) override;

  // Takes connections of peers, on any thread; when the transport is gone it closes them.
  Intake intake();
  // From any thread; when the transport is gone `done` is destroyed uncalled.
  DialBack dial_back();

 private:
  struct Peer {
    std::string address;
    std::unique_ptr<PeerLink> link;
    std::unique_ptr<PeerLink> bulk;  // null until it is needed
  };

  struct Incoming {
    std::string host;
    std::weak_ptr<PeerSession> session;
  };

  std::unique_ptr<PeerLink> connect(const Peer& peer, std::function<void()> on_refused);
  void open(raft::MemberId id, Peer& peer);
  void accept(platform::TcpHandle connection);
  void probe(const std::string& address, const model::NodeId& node,
             absl::AnyInvocable<void(Status)> done);
  bool has_room_for(const std::string& host) const;
  Status admit(const security::PeerIdentity& peer) const;
  Status claim(const PeerSession& newcomer);

  AsioLoop& loop_;
  const std::string greeting_;
  const std::shared_ptr<PeerTls> tls_;
  const Events events_;
  const std::shared_ptr<LoopGate> gate_;
  std::map<raft::MemberId, Peer> peers_;
  std::vector<Incoming> incoming_;
  FaultCounter copies_;
  Anchor anchor_;
};

}  // namespace swarm::api
