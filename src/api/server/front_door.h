#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/server/strangers.h"
#include "base/asio_loop.h"
#include "base/result.h"
#include "platform/arrivals.h"
#include "platform/tcp_acceptor.h"
#include "platform/tcp_socket.h"

namespace swarm::api {

// The swarm port, which two protocols share: a connection that begins with TLS is of gRPC, one that
// begins in the clear is a peer's (peers/frame.h). A connection counts against the bounds of
// limits.h until it is over or it is known who is at the other end: that of a peer with the
// manager, which has bounds of its own. On a thread of its own.
class FrontDoor {
 public:
  using Tcp = platform::Tcp;
  struct Guests {
    std::function<void(Tcp::socket)> grpc;
    std::function<void(Tcp::socket)> peer;
  };

  // Has the port from now on. UNAVAILABLE when it cannot be had.
  static Result<std::unique_ptr<FrontDoor>> at(const std::string& address);
  // Nobody comes in any more.
  ~FrontDoor();

  // Once.
  void open(Guests guests);
  uint16_t port() const;
  // Whom gRPC has shown in a call; outlives the door.
  std::shared_ptr<Strangers> strangers() const { return strangers_; }

 private:
  FrontDoor();
  Status listen(const std::string& address);
  void let_in(Tcp::socket socket, platform::Arrivals::Place place);

  Guests guests_;
  AsioLoop loop_{"door"};
  const std::shared_ptr<Strangers> strangers_;
  platform::Arrivals arrivals_;
  std::shared_ptr<platform::TcpAcceptor> acceptor_;
};

}  // namespace swarm::api
