#include "api/peers/peer_session.h"

#include <charconv>
#include <utility>

#include "base/log.h"

namespace swarm::api {

PeerSession::PeerSession(Tcp::socket socket, boost::asio::ssl::context& context, Listener listener)
    : PeerConnection(std::move(socket), context), listener_(std::move(listener)) {}

void PeerSession::secured(const security::PeerIdentity& peer) {
  peer_ = peer;
}

void PeerSession::received(std::string_view payload) {
  if (from_.is_empty()) {
    greet(payload);
  } else if (listener_.admit(peer_).ok()) {
    listener_.received(from_, std::string(payload));
  } else {
    close();
  }
}

void PeerSession::greet(std::string_view member) {
  if (const Status status = listener_.admit(peer_); !status.ok()) {
    send_and_close(std::string(status.message()));
    return;
  }
  const std::string text(member);
  const char* const end = text.data() + text.size();
  uint64_t id = 0;
  if (std::from_chars(text.data(), end, id).ptr != end || id == 0) {
    send_and_close("this is no member id");
    return;
  }
  from_ = raft::MemberId(id);
  settle();
  send({});
}

void PeerSession::ended(ErrorCode error) {
  log::debug("a peer's connection ended",
             {{"peer", peer_.node.value()}, {"reason", error.message()}});
}

}  // namespace swarm::api
