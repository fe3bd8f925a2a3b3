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
// At most so many connections are accepted before the other work of the loop has its turn.
constexpr int kAcceptsPerTurn = 16;

}  // namespace

TcpAcceptor::TcpAcceptor(boost::asio::io_context& context, OnSocket on_socket)
    : acceptor_(context), pause_(context), on_socket_(std::move(on_socket)) {}

Result<std::shared_ptr<TcpAcceptor>> TcpAcceptor::open(boost::asio::io_context& context,
                                                       const Tcp::endpoint& address,
                                                       OnSocket on_socket) {
  auto acceptor = std::make_shared<TcpAcceptor>(context, std::move(on_socket));
  SWARM_RETURN_IF_ERROR(acceptor->listen(address));
  acceptor->await();
  return acceptor;
}

std::shared_ptr<TcpAcceptor> TcpAcceptor::adopt(boost::asio::io_context& context,
                                                TcpHandle listener, OnSocket on_socket) {
  auto acceptor = std::make_shared<TcpAcceptor>(context, std::move(on_socket));
  ErrorCode error;
  acceptor->acceptor_.assign(listener.is_v6() ? Tcp::v6() : Tcp::v4(), listener.release(), error);
  if (!error) acceptor->acceptor_.non_blocking(true, error);
  acceptor->await();
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
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) return absl::OkStatus();
  if (error == boost::asio::error::address_in_use) {
    return absl::AlreadyExistsError("is in use by another program");
  }
  return absl::UnavailableError("cannot be opened: " + error.message());
}

// Waits for connections and accepts them by hand. `async_accept` would take the next one out of the
// kernel as soon as it is called and report it later; a `close` in between would cut a connection
// that the next process to have the listener would have served.
void TcpAcceptor::await() {
  acceptor_.async_wait(Tcp::acceptor::wait_read, [weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (self == nullptr || !self->acceptor_.is_open()) return;
    if (error) {
      self->pause_after(error);
    } else {
      self->accept();
    }
  });
}

// Whoever gets a connection may close the acceptor.
void TcpAcceptor::accept() {
  for (int accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
    ErrorCode error;
    Tcp::socket socket = acceptor_.accept(error);
    // Nobody waits any more, or another process was faster.
    if (error == boost::asio::error::would_block) break;
    if (error) {
      pause_after(error);
      return;
    }
    if (is_of_reserve(socket.native_handle())) {
      tell("too few descriptors are left for connections");
      socket.close(error);
    } else {
      on_socket_(std::move(socket));
    }
    if (!acceptor_.is_open()) return;
  }
  await();
}

void TcpAcceptor::pause_after(const ErrorCode& error) {
  tell(error.message());
  pause_.expires_after(kPauseAfterError);
  pause_.async_wait([weak = weak_from_this()](ErrorCode aborted) {
    const auto self = weak.lock();
    if (!aborted && self != nullptr && self->acceptor_.is_open()) self->await();
  });
}

void TcpAcceptor::tell(const std::string& problem) {
  if (const uint64_t times = faults_.failed(problem, steady_now())) {
    log::warning("could not accept a connection", {{"error", problem}, {"times", times}});
  }
}

// Released first, because another process may have the listener too: then closing a descriptor does
// not take it out of epoll, and this process would be woken for the connections of the other.
void TcpAcceptor::close() {
  pause_.cancel();
  if (!acceptor_.is_open()) return;
  ErrorCode ignored;
  const TcpHandle to_be_closed(acceptor_.release(ignored), false);
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
