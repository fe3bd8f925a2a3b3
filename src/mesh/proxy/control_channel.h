#pragma once

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "mesh/control_message.h"

namespace swarm::mesh {

// Control messages over one connection of the local socket, in order. Both sides use it. What is
// not a message, or would be too long, ends it. Lives as long as it is held or open; on one loop.
class ControlChannel : public std::enable_shared_from_this<ControlChannel> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  struct Events {
    absl::AnyInvocable<void(ControlMessage)> on_message;
    // Once, unless `close` was called.
    absl::AnyInvocable<void()> on_closed;
  };

  explicit ControlChannel(Socket socket) : socket_(std::move(socket)) {}

  void start(Events events);
  // Somebody else hears of it from now on.
  void set_events(Events events);
  void send(const ControlMessage& message);
  // No more events.
  void close();

 private:
  void read_length();
  void deliver(ControlMessage message);
  void read_message(size_t length);
  void flush();
  void fail();

  Socket socket_;
  std::shared_ptr<Events> events_;
  bool is_closed_ = false;
  std::array<unsigned char, 4> length_{};
  std::string input_;
  std::string output_;
  std::string writing_;
};

}  // namespace swarm::mesh
