#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "mesh/proxy/tcp_end.h"

namespace swarm::mesh {

// A listening port. Hands over every connection until it is closed or destroyed. On the loop of the
// mesh.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  using OnSocket = absl::AnyInvocable<void(Tcp::socket)>;

  // ALREADY_EXISTS when another program has the port, else UNAVAILABLE; both without saying which
  // port.
  static Result<std::shared_ptr<Acceptor>> open(boost::asio::io_context& context,
                                                const Tcp::endpoint& address, OnSocket on_socket);

  Acceptor(boost::asio::io_context& context, OnSocket on_socket);
  void close();
  Tcp::endpoint address() const { return acceptor_.local_endpoint(); }

 private:
  Status listen(const Tcp::endpoint& address);
  void accept();

  Tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  OnSocket on_socket_;
};

}  // namespace swarm::mesh
