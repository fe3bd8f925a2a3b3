#pragma once

#include <utility>

namespace swarm::platform {

// A TCP connection between two loops, on its way from the one that accepted it to the one that will
// use it (tcp_socket.h): closed if it does not arrive. On one thread at a time.
class TcpHandle {
 public:
  TcpHandle(int native, bool is_v6) : native_(native), is_v6_(is_v6) {}
  TcpHandle(TcpHandle&& other) noexcept
      : native_(std::exchange(other.native_, -1)), is_v6_(other.is_v6_) {}
  TcpHandle& operator=(TcpHandle&&) = delete;
  ~TcpHandle();

  bool is_v6() const { return is_v6_; }
  int release() { return std::exchange(native_, -1); }

 private:
  int native_;  // -1: none
  bool is_v6_;
};

}  // namespace swarm::platform
