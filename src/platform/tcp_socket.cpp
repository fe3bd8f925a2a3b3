#include "platform/tcp_socket.h"

#include <boost/asio/io_context.hpp>
#include <utility>

#include "platform/descriptors.h"

namespace swarm::platform {

namespace {

template <int Level, int Name>
using IntegerOption = boost::asio::detail::socket_option::integer<Level, Name>;

// The system headers are Asio's; where an option is missing, so is its use.
using KeepIdle = IntegerOption<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepInterval = IntegerOption<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepCount = IntegerOption<IPPROTO_TCP, TCP_KEEPCNT>;
using UserTimeout = IntegerOption<IPPROTO_TCP, TCP_USER_TIMEOUT>;

template <class Option>
void set_unless_zero(Tcp::socket& socket, int value) {
  ErrorCode ignored;
  if (value != 0) {
    socket.set_option(Option(value), ignored);
  }
}

}  // namespace

void tune_socket(Tcp::socket& socket, const SilenceLimits& limits) {
  ErrorCode ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  set_unless_zero<KeepIdle>(socket, limits.keep_idle_seconds);
  set_unless_zero<KeepInterval>(socket, limits.keep_interval_seconds);
  set_unless_zero<KeepCount>(socket, limits.keep_count);
  set_unless_zero<UserTimeout>(socket, limits.unacknowledged_milliseconds);
}

std::string remote_host(const Tcp::socket& socket) {
  ErrorCode is_over;
  const Tcp::endpoint remote = socket.remote_endpoint(is_over);
  if (is_over) {
    return {};
  }
  // A listener of both families sees callers of IPv4 under a form of their own.
  const boost::asio::ip::address address = remote.address();
  return address.is_v6() && address.to_v6().is_v4_mapped()
             ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
                   .to_string()
             : address.to_string();
}

Tcp::socket second_handle(Tcp::socket& socket) {
  Tcp::socket second(socket.get_executor());
  ErrorCode error;
  const Tcp::endpoint local = socket.local_endpoint(error);
  const int native = error ? -1 : duplicate_descriptor(socket.native_handle());
  if (native >= 0) {
    second.assign(local.protocol(), native, error);
  }
  return second;
}

TcpHandle take_off_loop(Tcp::socket socket) {
  ErrorCode error;
  const bool is_v6 = socket.local_endpoint(error).address().is_v6();
  const int native = socket.release(error);
  return {error ? -1 : native, is_v6};
}

Tcp::socket put_on_loop(boost::asio::io_context& context, TcpHandle handle) {
  Tcp::socket socket(context);
  ErrorCode error;
  socket.assign(handle.is_v6() ? Tcp::v6() : Tcp::v4(), handle.release(), error);
  return socket;
}

TcpHandle::~TcpHandle() {
  if (native_ >= 0) {
    boost::asio::io_context context;
    put_on_loop(context, std::move(*this));
  }
}

}  // namespace swarm::platform
