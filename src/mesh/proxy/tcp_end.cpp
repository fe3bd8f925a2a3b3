#include "mesh/proxy/tcp_end.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace swarm::mesh {

namespace {

template <int Level, int Name>
using IntegerOption = boost::asio::detail::socket_option::integer<Level, Name>;

// The system headers are Asio's; where an option is missing, so is its use.
using KeepIdle = IntegerOption<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepInterval = IntegerOption<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepCount = IntegerOption<IPPROTO_TCP, TCP_KEEPCNT>;
using UserTimeout = IntegerOption<IPPROTO_TCP, TCP_USER_TIMEOUT>;

// A backend whose host died silently is found out within 10 + 3 * 3 s when idle. Unacknowledged
// data may wait longer: the timeout also counts while a living backend takes nothing (window zero),
// and a busy one may do that.
constexpr int kBackendKeepIdleSeconds = 10;
constexpr int kBackendKeepIntervalSeconds = 3;
constexpr int kBackendKeepCount = 3;
constexpr int kBackendUserTimeoutMilliseconds = 30'000;
constexpr int kClientKeepIdleSeconds = 60;

}  // namespace

void tune_socket(Tcp::socket& socket, SocketKind kind) {
  ErrorCode ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  if (kind == SocketKind::client) {
    socket.set_option(KeepIdle(kClientKeepIdleSeconds), ignored);
    return;
  }
  socket.set_option(KeepIdle(kBackendKeepIdleSeconds), ignored);
  socket.set_option(KeepInterval(kBackendKeepIntervalSeconds), ignored);
  socket.set_option(KeepCount(kBackendKeepCount), ignored);
  socket.set_option(UserTimeout(kBackendUserTimeoutMilliseconds), ignored);
}

TcpEnd::TcpEnd(Tcp::socket socket, IoScratch& scratch)
    : socket_(std::move(socket)), scratch_(scratch) {
  if (socket_.is_open()) prepare(SocketKind::client);
}

void TcpEnd::prepare(SocketKind kind) {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  tune_socket(socket_, kind);
}

void TcpEnd::connect(const Tcp::endpoint& address, WriteDone done) {
  ErrorCode error;
  socket_.open(address.protocol(), error);
  socket_.async_connect(address, [this, done = std::move(done)](ErrorCode failed) mutable {
    if (!failed) prepare(SocketKind::backend);
    done(failed);
  });
}

void TcpEnd::read(ReadDone done) {
  socket_.async_wait(Tcp::socket::wait_read,
                     [this, done = std::move(done)](ErrorCode error) mutable {
                       size_t size = 0;
                       if (!error) size = socket_.read_some(boost::asio::buffer(scratch_), error);
                       if (error == boost::asio::error::would_block) {
                         read(std::move(done));
                         return;
                       }
                       done(error, std::string_view(scratch_.data(), size));
                     });
}

void TcpEnd::write(std::string_view bytes, WriteDone done) {
  ErrorCode error;
  const size_t written = socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error && error != boost::asio::error::would_block) {
    done(error);
    return;
  }
  if (!error && written == bytes.size()) {
    done({});
    return;
  }
  unwritten_.assign(bytes.substr(written));
  boost::asio::async_write(socket_, boost::asio::buffer(unwritten_),
                           [this, done = std::move(done)](ErrorCode failed, size_t) mutable {
                             std::string().swap(unwritten_);
                             done(failed);
                           });
}

std::string TcpEnd::peek() {
  ErrorCode error;
  const size_t size =
      socket_.receive(boost::asio::buffer(scratch_), Tcp::socket::message_peek, error);
  return error ? "" : std::string(scratch_.data(), size);
}

void TcpEnd::shutdown_send() {
  ErrorCode ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

void TcpEnd::close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

void TcpEnd::reset() {
  ErrorCode ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

}  // namespace swarm::mesh
