#pragma once

#include <functional>
#include <string>

#include "api/peers/peer_connection.h"
#include "base/result.h"
#include "raft/core/types.h"
#include "security/identity.h"

namespace swarm::api {

// The connection of a peer that sends us its messages.
class PeerSession final : public PeerConnection {
 public:
  // Called until the session is closed.
  struct Listener {
    // An error when the peer must not be heard (any more).
    std::function<Status(const security::PeerIdentity& peer)> admit;
    // An error when another process has this member's place: once, at the greeting.
    std::function<Status(const PeerSession& session)> claim;
    std::function<void(raft::MemberId from, std::string message)> received;
  };

  PeerSession(Tcp::socket socket, boost::asio::ssl::context& context, Listener listener);

  // Who it says it is, once it has; empty before.
  raft::MemberId member() const { return from_; }
  const std::string& instance() const { return instance_; }
  const security::PeerIdentity& peer() const { return peer_; }

 private:
  void secured(const security::PeerIdentity& peer) override;
  void received(std::string_view payload) override;
  void ended(ErrorCode error) override;

  void greet(std::string_view words);
  Status take_greeting(std::string_view words);

  const Listener listener_;
  security::PeerIdentity peer_;
  raft::MemberId from_;  // once it has said so
  std::string instance_;
};

}  // namespace swarm::api
