#include "api/peer_transport.h"

#include <utility>

#include "api/client/limits.h"
#include "api/loop_gate.h"
#include "api/peers/peer_link.h"
#include "api/peers/peer_probe.h"
#include "api/peers/peer_session.h"
#include "api/peers/peer_tls.h"
#include "base/asio_loop.h"
#include "base/log.h"
#include "base/random.h"
#include "platform/tcp_address.h"
#include "platform/tcp_socket.h"

namespace swarm::api {

namespace {

std::string greeting_of(raft::MemberId self) {
  Random random = Random::from_system();
  return std::to_string(self.value()) + " " + random_id(random);
}

}  // namespace

PeerTransport::PeerTransport(AsioLoop& loop, raft::MemberId self, CredentialsSource credentials,
                             Events events)
    : loop_(loop),
      greeting_(greeting_of(self)),
      tls_(std::make_shared<PeerTls>(std::move(credentials))),
      events_(std::move(events)),
      gate_(std::make_shared<LoopGate>(loop)) {}

PeerTransport::~PeerTransport() {
  gate_->close();
  for (const Incoming& incoming : incoming_) {
    if (const auto session = incoming.session.lock()) {
      session->close();
    }
  }
}

std::unique_ptr<PeerLink> PeerTransport::connect(const Peer& peer,
                                                 std::function<void()> on_refused) {
  return std::make_unique<PeerLink>(loop_, greeting_, peer.address, tls_, std::move(on_refused));
}

void PeerTransport::open(raft::MemberId id, Peer& peer) {
  peer.bulk.reset();
  peer.link = connect(peer, [this, id] { events_.refused(id); });
}

void PeerTransport::set_peer(raft::MemberId id, const std::string& address) {
  Peer& peer = peers_[id];
  if (peer.link == nullptr || peer.address != address) {
    peer.address = address;
    open(id, peer);
  }
}

void PeerTransport::remove_peer(raft::MemberId id) {
  peers_.erase(id);
}

void PeerTransport::send(raft::MemberId to, std::string message) {
  const auto found = peers_.find(to);
  if (found != peers_.end()) {
    found->second.link->send(message);
  }
}

void PeerTransport::send_bulk(raft::MemberId to, std::string message) {
  const auto found = peers_.find(to);
  if (found == peers_.end()) {
    return;
  }
  Peer& peer = found->second;
  if (peer.bulk == nullptr) {
    peer.bulk = connect(peer, [] {});  // a refusal is the other link's to tell
  }
  peer.bulk->send(message);
}

void PeerTransport::reset_peer(raft::MemberId id) {
  const auto found = peers_.find(id);
  if (found != peers_.end()) {
    open(id, found->second);
  }
}

PeerTransport::Intake PeerTransport::intake() {
  return [gate = gate_, accept = anchor_.bind([this](platform::TcpHandle connection) {
    this->accept(std::move(connection));
  })](platform::TcpHandle connection) {
    gate->post(
        [accept, connection = std::move(connection)]() mutable { accept(std::move(connection)); });
  };
}

PeerTransport::DialBack PeerTransport::dial_back() {
  using Done = absl::AnyInvocable<void(Status)>;
  auto probe = [this](const std::string& address, const model::NodeId& node, Done done) {
    this->probe(address, node, std::move(done));
  };
  return [gate = gate_, probe = anchor_.bind(std::move(probe))](
             const std::string& address, const model::NodeId& node, Done done) {
    gate->post([probe, address, node, done = std::move(done)]() mutable {
      probe(address, node, std::move(done));
    });
  };
}

void PeerTransport::probe(const std::string& address, const model::NodeId& node,
                          absl::AnyInvocable<void(Status)> done) {
  const auto parts = platform::split_tcp_address(address);
  const auto context = tls_->context();
  if (!parts.ok() || !context.ok()) {
    done(parts.ok() ? context.status() : parts.status());
    return;
  }
  std::make_shared<PeerProbe>(platform::Tcp::socket(loop_.context()), **context, node,
                              std::move(done))
      ->connect(*parts);
}

void PeerTransport::accept(platform::TcpHandle connection) {
  std::erase_if(incoming_, [](const Incoming& incoming) { return incoming.session.expired(); });
  auto socket = platform::put_on_loop(loop_.context(), std::move(connection));
  const std::string host = platform::remote_host(socket);
  const auto context = tls_->context();
  if (host.empty() || !context.ok() || !has_room_for(host)) {
    return;
  }
  const auto session = std::make_shared<PeerSession>(
      std::move(socket), **context,
      PeerSession::Listener{
          .admit = [this](const security::PeerIdentity& peer) { return admit(peer); },
          .claim = [this](const PeerSession& newcomer) { return claim(newcomer); },
          .received = events_.received});
  incoming_.push_back({host, session});
  session->accept();
}

// TLS with strangers is work for this loop, and one of them shall not take the places of others.
bool PeerTransport::has_room_for(const std::string& host) const {
  int unsettled = 0;
  int of_host = 0;
  for (const Incoming& incoming : incoming_) {
    const auto session = incoming.session.lock();
    if (session != nullptr && !session->is_settled()) {
      ++unsettled;
      of_host += incoming.host == host ? 1 : 0;
    }
  }
  return unsettled < kMaxUnsettledPeers && of_host < kMaxUnsettledPeersOfHost;
}

// A process that ends takes its connections with it, and a machine that is gone is noticed within
// seconds: whoever has a member's place is alive.
Status PeerTransport::claim(const PeerSession& newcomer) {
  for (const Incoming& incoming : incoming_) {
    const auto session = incoming.session.lock();
    const bool is_rival = session != nullptr && session.get() != &newcomer &&
                          session->is_settled() && !session->is_over() &&
                          session->member() == newcomer.member() &&
                          session->instance() != newcomer.instance();
    if (!is_rival) {
      continue;
    }
    const std::string reason = "two machines use the identity of node " +
                               newcomer.peer().node.value() + ": the one at " + incoming.host +
                               " was here first";
    if (const uint64_t times = copies_.failed(reason, loop_.now())) {
      log::warning("connection of a manager refused", {{"reason", reason}, {"times", times}});
    }
    return absl::AlreadyExistsError(reason);
  }
  return absl::OkStatus();
}

Status PeerTransport::admit(const security::PeerIdentity& peer) const {
  SWARM_RETURN_IF_ERROR(tls_->check_manager(peer));
  if (events_.is_removed(peer.node)) {
    return absl::PermissionDeniedError("node " + peer.node.value() + " was removed from the swarm");
  }
  return absl::OkStatus();
}

}  // namespace swarm::api
