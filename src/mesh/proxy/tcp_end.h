#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"

namespace swarm::mesh {

using Tcp = boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// Every connection of a mesh reads into this one buffer, when bytes are there: a waiting connection
// holds no memory for them.
using IoScratch = std::array<char, 64 * 1024>;

// What is known of the other side decides how long it may be silent.
enum class SocketKind {
  client,   // may be slow: only dead ones are found out
  backend,  // a dead task must not block its drain
};

// No delay, keepalive, and for backends a bound on unacknowledged data. Failures are of no matter:
// the connection works without.
void tune_socket(Tcp::socket& socket, SocketKind kind);

// One TCP connection. At most one read and one write at a time. Callbacks keep the owner of this
// object alive; they may run within the call (`write`) or later, and after `close` not at all or
// with an error. On the loop of the mesh.
class TcpEnd {
 public:
  using ReadDone = absl::AnyInvocable<void(ErrorCode, std::string_view)>;
  using WriteDone = absl::AnyInvocable<void(ErrorCode)>;

  TcpEnd(Tcp::socket socket, IoScratch& scratch);

  void connect(const Tcp::endpoint& address, WriteDone done);
  // Some bytes, valid until the callback returns; error::eof when the other side has ended.
  void read(ReadDone done);
  // All of them; what the kernel does not take at once is copied.
  void write(std::string_view bytes, WriteDone done);
  // What has arrived already, without waiting and without taking it.
  std::string peek();
  void shutdown_send();
  void close();
  // The other side sees an error instead of an end.
  void reset();

  Tcp::socket& socket() { return socket_; }

 private:
  void prepare(SocketKind kind);

  Tcp::socket socket_;
  IoScratch& scratch_;
  std::string unwritten_;
};

}  // namespace swarm::mesh
