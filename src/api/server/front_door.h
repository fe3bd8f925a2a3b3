#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/asio_loop.h"
#include "base/result.h"
#include "platform/tcp_acceptor.h"
#include "platform/tcp_socket.h"

namespace swarm::api {

// The swarm port, which two protocols share: a connection that begins with TLS is of gRPC, one that
// begins in the clear is a peer's (peers/frame.h). On a thread of its own.
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

 private:
  struct Visitor;

  FrontDoor() = default;
  Status listen(const std::string& address);
  void let_in(Tcp::socket socket);
  bool has_room_for(const std::string& host) const;
  void note_decided(const std::string& host);
  void look_at(Visitor& visitor);

  Guests guests_;
  // Visitors that have said nothing yet.
  int undecided_ = 0;
  std::map<std::string, int> undecided_of_host_;
  AsioLoop loop_{"door"};
  std::shared_ptr<platform::TcpAcceptor> acceptor_;
};

}  // namespace swarm::api
