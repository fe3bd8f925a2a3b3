#include "api/peer_transport.h"

#include <utility>

#include "api/callback_threads.h"
#include "api/channel.h"
#include "api/clients/peer_link.h"
#include "api/loop_gate.h"

namespace swarm::api {

PeerTransport::PeerTransport(EventLoop& loop, raft::MemberId self, CredentialsSource credentials,
                             Refused on_refused)
    : self_(self),
      channels_(std::make_shared<ChannelCache>(std::move(credentials))),
      gate_(std::make_shared<LoopGate>(loop)),
      on_refused_(std::move(on_refused)) {
  keep_callback_threads();
}

PeerTransport::~PeerTransport() {
  gate_->close();
  for (const auto& [peer, link] : peers_) {
    link->close();
  }
}

void PeerTransport::set_peer(raft::MemberId peer, const std::string& address) {
  std::shared_ptr<PeerLink>& link = peers_[peer];
  if (link != nullptr) {
    if (link->address() == address) {
      return;
    }
    link->close();
  }
  // Bound here, on the loop: gRPC's thread only hands it over.
  auto report = anchor_.bind([this, peer] { on_refused_(peer); });
  link = std::make_shared<PeerLink>(self_.value(), address, channels_,
                                    [gate = gate_, report] { gate->post(report); });
  link->open();
}

void PeerTransport::remove_peer(raft::MemberId peer) {
  const auto found = peers_.find(peer);
  if (found != peers_.end()) {
    found->second->close();
    peers_.erase(found);
  }
}

void PeerTransport::send(raft::MemberId to, std::string message) {
  const auto found = peers_.find(to);
  if (found != peers_.end()) {
    found->second->send(std::move(message));
  }
}

}  // namespace swarm::api
