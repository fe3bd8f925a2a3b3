#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "platform/connection_bound.h"
#include "platform/tcp_socket.h"

namespace swarm::platform {

// The first byte of a TLS connection.
inline constexpr char kFirstByteOfTls = 0x16;

// Strangers at a port that speaks TLS. TLS takes tens of kilobytes for each connection from its
// first byte on, so none is begun before the greeting of the other side (ClientHello) is there as a
// whole, which costs a descriptor and little else; and then only so many are under way at a time.
// Connections beyond that wait for a place; those that find no room to wait are closed.
//
// Nothing is read: the greeting is still there for whoever does the handshake. A connection that
// begins with anything but TLS is handed over at its first byte. On the loop of its context.
class Arrivals {
 public:
  using Place = ConnectionBound::Place;
  struct Limits {
    ConnectionLimits waiting;     // without a greeting, or for a place
    ConnectionLimits handshakes;  // handed over, until their place is given back
    std::chrono::milliseconds patience;
  };
  // The place is kept until it is known who is at the other end, or the connection is closed.
  using OnGreeted = std::function<void(Tcp::socket, Place)>;

  Arrivals(boost::asio::io_context& context, const Limits& limits, OnGreeted on_greeted);
  ~Arrivals();

  void add(Tcp::socket socket);

 private:
  class Hall;
  const std::shared_ptr<Hall> hall_;
};

// What counts as one host: an address, of IPv6 the network of 64 bits that one host may use as it
// likes. Empty when the connection is over already.
std::string host_of(const Tcp::socket& socket);

}  // namespace swarm::platform
