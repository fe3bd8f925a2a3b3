#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/fault_counter.h"
#include "base/result.h"
#include "platform/tcp_socket.h"

namespace swarm::platform {

// A listening port. Hands over every connection until it is closed or destroyed, but for those that
// would take the last descriptors of the process: they are closed. A connection that has not been
// handed over by then is left to whoever else has the listener. On the loop of its context.
class TcpAcceptor : public std::enable_shared_from_this<TcpAcceptor> {
 public:
  using OnSocket = absl::AnyInvocable<void(Tcp::socket)>;

  // ALREADY_EXISTS when another program has the port, else UNAVAILABLE; both without saying which
  // port.
  static Result<std::shared_ptr<TcpAcceptor>> open(boost::asio::io_context& context,
                                                   const Tcp::endpoint& address,
                                                   OnSocket on_socket);

  // Takes over a listener that another process had.
  static std::shared_ptr<TcpAcceptor> adopt(boost::asio::io_context& context, TcpHandle listener,
                                            OnSocket on_socket);

  TcpAcceptor(boost::asio::io_context& context, OnSocket on_socket);
  ~TcpAcceptor() { close(); }
  void close();
  int native_handle() { return acceptor_.native_handle(); }
  Tcp::endpoint address() const { return acceptor_.local_endpoint(); }

 private:
  Status listen(const Tcp::endpoint& address);
  void await();
  void accept();
  void pause_after(const ErrorCode& error);
  void tell(const std::string& problem);

  Tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  OnSocket on_socket_;
  FaultCounter faults_;
};

// Whether somebody could listen there now; errors as of TcpAcceptor::open.
Status check_port_free(const std::string& address, uint16_t port);

}  // namespace swarm::platform
