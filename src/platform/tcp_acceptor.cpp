#include "platform/tcp_acceptor.h"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "base/log.h"
#include "base/real_clock.h"
#include "platform/descriptors.h"

namespace swarm::platform {

namespace {

// When the process is out of descriptors, trying at once again would only burn the processor.
constexpr std::chrono::milliseconds kPauseAfterError{100};

}  // namespace

TcpAcceptor::TcpAcceptor(boost::asio::io_context& context, OnSocket on_socket)
    : acceptor_(context), pause_(context), on_socket_(std::move(on_socket)) {}

Result<std::shared_ptr<TcpAcceptor>> TcpAcceptor::open(boost::asio::io_context& context,
                                                       const Tcp::endpoint& address,
                                                       OnSocket on_socket) {
  auto acceptor = std::make_shared<TcpAcceptor>(context, std::move(on_socket));
  SWARM_RETURN_IF_ERROR(acceptor->listen(address));
  acceptor->accept();
  return acceptor;
}

std::shared_ptr<TcpAcceptor> TcpAcceptor::adopt(boost::asio::io_context& context,
                                                TcpHandle listener, OnSocket on_socket) {
  auto acceptor = std::make_shared<TcpAcceptor>(context, std::move(on_socket));
  ErrorCode error;
  acceptor->acceptor_.assign(listener.is_v6() ? Tcp::v6() : Tcp::v4(), listener.release(), error);
  acceptor->accept();
  return acceptor;
}

Status TcpAcceptor::listen(const Tcp::endpoint& address) {
  ErrorCode error;
  acceptor_.open(address.protocol(), error);
  // Connections of a listener before this one may still be in TIME_WAIT.
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  // [::] takes callers of both families, whatever the system's default is.
  if (!error && address.protocol() == Tcp::v6()) {
    acceptor_.set_option(boost::asio::ip::v6_only(false), error);
  }
  if (!error) acceptor_.bind(address, error);
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (!error) return absl::OkStatus();
  if (error == boost::asio::error::address_in_use) {
    return absl::AlreadyExistsError("is in use by another program");
  }
  return absl::UnavailableError("cannot be opened: " + error.message());
}

void TcpAcceptor::accept() {
  acceptor_.async_accept([weak = weak_from_this()](ErrorCode error, Tcp::socket socket) {
    const auto self = weak.lock();
    if (self == nullptr || !self->acceptor_.is_open()) return;
    if (!error) {
      if (is_of_reserve(socket.native_handle())) {
        self->tell("too few descriptors are left for connections");
        socket.close(error);
      } else {
        self->on_socket_(std::move(socket));
      }
      self->accept();
      return;
    }
    self->tell(error.message());
    self->pause_.expires_after(kPauseAfterError);
    self->pause_.async_wait([weak](ErrorCode aborted) {
      const auto paused = weak.lock();
      if (!aborted && paused != nullptr && paused->acceptor_.is_open()) paused->accept();
    });
  });
}

void TcpAcceptor::tell(const std::string& problem) {
  if (const uint64_t times = faults_.failed(problem, steady_now())) {
    log::warning("could not accept a connection", {{"error", problem}, {"times", times}});
  }
}

void TcpAcceptor::close() {
  ErrorCode ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

Status check_port_free(const std::string& address, uint16_t port) {
  ErrorCode error;
  const auto host = boost::asio::ip::make_address(address, error);
  if (error) {
    return absl::OkStatus();  // a name: whoever resolves it will find out
  }
  boost::asio::io_context context;
  return TcpAcceptor::open(context, {host, port}, [](Tcp::socket) {}).status();
}

}  // namespace swarm::platform
