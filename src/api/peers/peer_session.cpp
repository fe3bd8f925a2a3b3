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

void PeerSession::greet(std::string_view words) {
  if (const Status status = take_greeting(words); !status.ok()) {
    send_and_close(std::string(status.message()));
    return;
  }
  settle();
  send({});
}

Status PeerSession::take_greeting(std::string_view words) {
  SWARM_RETURN_IF_ERROR(listener_.admit(peer_));
  const char* const end = words.data() + words.size();
  uint64_t id = 0;
  const char* const after = std::from_chars(words.data(), end, id).ptr;
  if (after == end || *after != ' ' || id == 0) {
    return absl::InvalidArgumentError("this is no member id");
  }
  from_ = raft::MemberId(id);
  instance_.assign(after + 1, end);
  return listener_.claim(*this);
}

void PeerSession::ended(ErrorCode error) {
  log::debug("a peer's connection ended",
             {{"peer", peer_.node.value()}, {"reason", error.message()}});
}

}  // namespace swarm::api
