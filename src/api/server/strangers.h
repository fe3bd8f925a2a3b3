#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/loop_gate.h"
#include "platform/arrivals.h"
#include "platform/tcp_socket.h"

namespace swarm::api {

// Connections that gRPC has and of which it is not known yet who is at the other end. gRPC does
// not tell of its connections, so each is watched through a handle of our own until a call has
// shown a node's certificate, or it is over; when neither comes in time it is ended. Until then it
// keeps its place.
class Strangers {
 public:
  explicit Strangers(EventLoop& loop) : gate_(std::make_shared<LoopGate>(loop)) {}

  // On the loop, before gRPC has it.
  void watch(platform::Tcp::socket handle, platform::Arrivals::Place place);
  // A node has shown itself on the connection that gRPC calls `peer` ("ipv4:10.0.0.7:41234"). From
  // any thread, with every call.
  void show(const std::string& peer);
  // Whether there is anybody to show.
  bool is_empty() const { return count_ == 0; }

  // The loop has stopped and is about to go. Nothing is watched any more.
  void close();

 private:
  struct Watched {
    Watched(platform::Tcp::socket own, platform::Arrivals::Place taken)
        : handle(std::move(own)), place(std::move(taken)), deadline(handle.get_executor()) {}
    void end();

    platform::Tcp::socket handle;
    platform::Arrivals::Place place;
    boost::asio::steady_timer deadline;
  };

  void forget(const std::string& key, const std::shared_ptr<Watched>& watched);

  const std::shared_ptr<LoopGate> gate_;
  std::atomic<int> count_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Watched>> watched_;
};

}  // namespace swarm::api
