#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <string>

#include "platform/tcp_handle.h"

namespace swarm::platform {

using Tcp = boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// After what silence a connection is held for dead. Zero leaves it to the system.
struct SilenceLimits {
  // With nothing to send: probes begin, come again, and are given up after so many.
  int keep_idle_seconds = 0;
  int keep_interval_seconds = 0;
  int keep_count = 0;
  // With data that is not acknowledged; also counts while a living peer takes nothing.
  int unacknowledged_milliseconds = 0;
};

// No delay, and keepalive within these limits. Failures are of no matter: the connection works
// without.
void tune_socket(Tcp::socket& socket, const SilenceLimits& limits);

// The address of the other end, without its port; empty when the connection is over already.
std::string remote_host(const Tcp::socket& socket);

// Another handle of the same connection, on the same loop; closed when the system has none to give.
// The connection is over when the last handle is closed.
Tcp::socket second_handle(Tcp::socket& socket);

// From the loop of the socket, with nothing under way on it, to another.
TcpHandle take_off_loop(Tcp::socket socket);
Tcp::socket put_on_loop(boost::asio::io_context& context, TcpHandle handle);

}  // namespace swarm::platform
