#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "api/peers/frame.h"
#include "platform/tcp_socket.h"
#include "security/identity.h"

namespace swarm::platform {
struct TcpAddress;
}

namespace swarm::api {

// One mutual-TLS connection between two managers, as frames in both directions: see frame.h. What
// is said in them is the business of the two ends, which inherit from this.
//
// Lives as long as something is under way on it: a connection that was begun always has a read.
// On the loop of its socket.
class PeerConnection : public std::enable_shared_from_this<PeerConnection> {
 public:
  using Tcp = platform::Tcp;
  using ErrorCode = platform::ErrorCode;

  // What the one that connects says before TLS begins; without it a server takes it for gRPC.
  enum class Preface { raft, none };

  PeerConnection(Tcp::socket socket, boost::asio::ssl::context& context,
                 Preface preface = Preface::raft);
  virtual ~PeerConnection() = default;
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  // One of them, once. Unless it is settled soon, it has failed.
  void connect(const platform::TcpAddress& address);
  void accept();

  // After `secured`.
  void send(std::string_view payload);
  // Says this last.
  void send_and_close(std::string_view payload);
  size_t unsent_bytes() const { return waiting_.size() + writing_.size(); }
  // Nothing is called any more.
  void close();
  // The two ends agree to talk: from then on it may be silent.
  bool is_settled() const { return is_settled_; }
  bool is_over() const { return is_closed_; }

 protected:
  void settle();

 private:
  // TLS is there.
  virtual void secured(const security::PeerIdentity& peer) = 0;
  // Valid for the call only.
  virtual void received(std::string_view payload) = 0;
  // It could not be made or is over; once, unless it was closed.
  virtual void ended(ErrorCode error) = 0;

  void begin_deadline();
  void connected(ErrorCode error);
  void handshake(boost::asio::ssl::stream_base::handshake_type side, ErrorCode error);
  void check_peer(ErrorCode error);
  void read();
  void take(size_t bytes);
  void write();
  void written(ErrorCode error);
  void fail(ErrorCode error);

  Tcp::resolver resolver_;
  boost::asio::steady_timer deadline_;
  boost::asio::ssl::stream<Tcp::socket> stream_;
  const Preface says_first_;
  std::array<char, kPeerPreface.size()> preface_{};
  FrameReader reader_;
  std::string waiting_;
  std::string writing_;
  bool is_settled_ = false;
  bool is_writing_ = false;
  bool is_last_ = false;  // closed once all is written
  bool is_closed_ = false;
};

}  // namespace swarm::api
