#include "mesh/proxy/tcp_end.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace swarm::mesh {

TcpEnd::TcpEnd(Tcp::socket socket, IoScratch& scratch)
    : socket_(std::move(socket)), scratch_(scratch) {
  if (socket_.is_open()) prepare(kClientSilence);
}

void TcpEnd::prepare(const platform::SilenceLimits& limits) {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  platform::tune_socket(socket_, limits);
}

void TcpEnd::connect(const Tcp::endpoint& address, WriteDone done) {
  ErrorCode error;
  socket_.open(address.protocol(), error);
  socket_.async_connect(address, [this, done = std::move(done)](ErrorCode failed) mutable {
    if (!failed) prepare(kBackendSilence);
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
