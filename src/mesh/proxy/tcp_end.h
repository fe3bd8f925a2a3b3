#pragma once

#include <array>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "platform/tcp_socket.h"

namespace swarm::mesh {

using platform::ErrorCode;
using platform::Tcp;

// Every connection of a mesh reads into this one buffer, when bytes are there: a waiting connection
// holds no memory for them.
using IoScratch = std::array<char, 64 * 1024>;

// What is known of the other side decides how long it may be silent: a client may be slow, and only
// dead ones are found out; a dead task must not block its drain.
//
// A backend whose host died silently is found out within 10 + 3 * 3 s when idle. Unacknowledged
// data may wait longer: the timeout also counts while a living backend takes nothing (window zero),
// and a busy one may do that.
inline constexpr platform::SilenceLimits kClientSilence{.keep_idle_seconds = 60};
inline constexpr platform::SilenceLimits kBackendSilence{.keep_idle_seconds = 10,
                                                         .keep_interval_seconds = 3,
                                                         .keep_count = 3,
                                                         .unacknowledged_milliseconds = 30'000};

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
  void prepare(const platform::SilenceLimits& limits);

  Tcp::socket socket_;
  IoScratch& scratch_;
  std::string unwritten_;
};

}  // namespace swarm::mesh
