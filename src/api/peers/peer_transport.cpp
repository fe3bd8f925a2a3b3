#include "api/peer_transport.h"

#include <utility>

#include "api/callback_threads.h"
#include "api/channel.h"
#include "api/loop_gate.h"
#include "api/peers/peer_link.h"

namespace swarm::api {

PeerTransport::PeerTransport(EventLoop& loop, raft::MemberId self, CredentialsSource credentials,
                             Refused on_refused)
    : self_(self),
      channels_(std::make_shared<ChannelCache>(credentials)),
      bulk_channels_(std::make_shared<ChannelCache>(std::move(credentials))),
      gate_(std::make_shared<LoopGate>(loop)),
      on_refused_(std::move(on_refused)) {
  keep_callback_threads();
}

PeerTransport::~PeerTransport() {
  gate_->close();
  for (auto& [id, peer] : peers_) {
    close(peer);
  }
}

void PeerTransport::open(raft::MemberId id, Peer& peer) {
  // Bound here, on the loop: gRPC's thread only hands it over.
  auto report = anchor_.bind([this, id] { on_refused_(id); });
  peer.link = std::make_shared<PeerLink>(self_.value(), peer.address, channels_,
                                         [gate = gate_, report] { gate->post(report); });
  peer.link->open();
}

void PeerTransport::close(Peer& peer) {
  for (std::shared_ptr<PeerLink>* const link : {&peer.link, &peer.bulk}) {
    if (*link != nullptr) {
      (*link)->close();
      link->reset();
    }
  }
}

void PeerTransport::set_peer(raft::MemberId id, const std::string& address) {
  Peer& peer = peers_[id];
  if (peer.link != nullptr && peer.address == address) {
    return;
  }
  close(peer);
  peer.address = address;
  open(id, peer);
}

void PeerTransport::remove_peer(raft::MemberId id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) {
    close(found->second);
    peers_.erase(found);
  }
}

void PeerTransport::send(raft::MemberId to, std::string message) {
  const auto found = peers_.find(to);
  if (found != peers_.end()) {
    found->second.link->send(std::move(message));
  }
}

void PeerTransport::send_bulk(raft::MemberId to, std::string message) {
  const auto found = peers_.find(to);
  if (found == peers_.end()) {
    return;
  }
  Peer& peer = found->second;
  if (peer.bulk == nullptr) {
    // A refusal is the other link's to tell.
    peer.bulk = std::make_shared<PeerLink>(self_.value(), peer.address, bulk_channels_, [] {});
    peer.bulk->open();
  }
  peer.bulk->send(std::move(message));
}

void PeerTransport::reset_peer(raft::MemberId id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) {
    close(found->second);
    open(id, found->second);
  }
}

}  // namespace swarm::api
