#pragma once

#include "absl/functional/any_invocable.h"
#include "api/peers/peer_connection.h"
#include "base/result.h"
#include "model/ids.h"

namespace swarm::api {

// One attempt to reach a node where it says it is: whether its server answers there, with its
// certificate. Bounded by the deadline of every connection.
class PeerProbe final : public PeerConnection {
 public:
  using Done = absl::AnyInvocable<void(Status)>;

  PeerProbe(Tcp::socket socket, boost::asio::ssl::context& context, model::NodeId expected,
            Done done)
      : PeerConnection(std::move(socket), context, Preface::none),
        expected_(std::move(expected)),
        done_(std::move(done)) {}

 private:
  void secured(const security::PeerIdentity& peer) override {
    finish(peer.node == expected_
               ? absl::OkStatus()
               : absl::FailedPreconditionError("node " + peer.node.value() + " answers there"));
  }
  void received(std::string_view) override {}
  void ended(ErrorCode error) override { finish(absl::UnavailableError(error.message())); }

  void finish(Status status) {
    close();
    if (done_ != nullptr) {
      std::exchange(done_, nullptr)(std::move(status));
    }
  }

  const model::NodeId expected_;
  Done done_;
};

}  // namespace swarm::api
