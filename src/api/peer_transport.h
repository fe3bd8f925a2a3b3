#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/credentials_source.h"
#include "base/event_loop.h"
#include "raft/core/transport.h"

namespace swarm::api {

class ChannelCache;
class LoopGate;
class PeerLink;

// Raft messages between managers over gRPC: one stream to each peer, kept open and made again when
// it breaks, and once a snapshot is sent to it another on a connection of its own, so that it keeps
// no heartbeat waiting. What cannot be sent soon is dropped; Raft sends again. Messages of other
// members come in through the server (Gateway::receive_raft), not here.
//
// On the raft loop. After destruction nothing is called.
class PeerTransport final : public raft::Transport {
 public:
  // On the loop, each time a connection to `peer` is refused: its machine is up and its process is
  // gone. A broken stream is tried again at once, so this comes within milliseconds of a crash.
  using Refused = std::function<void(raft::MemberId peer)>;

  PeerTransport(EventLoop& loop, raft::MemberId self, CredentialsSource credentials,
                Refused on_refused);
  ~PeerTransport() override;

  void set_peer(raft::MemberId peer, const std::string& address) override;
  void remove_peer(raft::MemberId peer) override;
  void send(raft::MemberId to, std::string message) override;
  void send_bulk(raft::MemberId to, std::string message) override;
  void reset_peer(raft::MemberId peer) override;

 private:
  struct Peer {
    std::string address;
    std::shared_ptr<PeerLink> link;
    std::shared_ptr<PeerLink> bulk;  // null until it is needed
  };

  void open(raft::MemberId id, Peer& peer);
  static void close(Peer& peer);

  const raft::MemberId self_;
  const std::shared_ptr<ChannelCache> channels_;
  const std::shared_ptr<ChannelCache> bulk_channels_;
  const std::shared_ptr<LoopGate> gate_;
  const Refused on_refused_;
  std::map<raft::MemberId, Peer> peers_;
  Anchor anchor_;
};

}  // namespace swarm::api
