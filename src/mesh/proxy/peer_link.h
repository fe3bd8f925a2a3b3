#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "base/time.h"
#include "mesh/frame.h"
#include "mesh/proxy/tcp_end.h"
#include "mesh/proxy/tls_identity.h"

namespace swarm::mesh {

// One mutual-TLS connection to another mesh, as a sequence of frames in each direction. Knows
// nothing of streams: see frame.h for what is said when.
//
// Lives as long as somebody holds it or a read or write is under way; `close` ends those. On the
// loop of the mesh.
class PeerLink : public std::enable_shared_from_this<PeerLink> {
 public:
  using Done = absl::AnyInvocable<void(Status)>;
  using FrameDone = absl::AnyInvocable<void(ErrorCode, const Frame&)>;

  PeerLink(Tcp::socket socket, std::shared_ptr<TlsIdentity> identity);

  // Either of them first, once. UNAVAILABLE; PERMISSION_DENIED when the other side is not who it
  // should be.
  void connect(const Tcp::endpoint& address, const model::NodeId& node, Done done);
  void accept(Done done);

  // The next frame; its payload is valid until the callback returns. Called again before that, it
  // only exchanges the callback.
  void read_frame(FrameDone done);
  // In the order of the calls. `done` when the connection has taken it.
  void send(FrameType type, std::string_view payload = {});
  void send_data(std::string_view bytes, TcpEnd::WriteDone done);

  void close();
  bool is_closed() const { return is_closed_; }
  // The node at the other end, once connected.
  const model::NodeId& peer() const { return peer_; }

 private:
  // What waits is owned by the operation under way, never by the link: those who wait own the link,
  // and would keep each other alive for ever.
  struct Output {
    std::string bytes;
    std::vector<TcpEnd::WriteDone> done;
  };

  void handshake(boost::asio::ssl::stream_base::handshake_type side, Done done);
  void deliver(std::shared_ptr<FrameDone> waiting);
  void fill(std::shared_ptr<FrameDone> waiting);
  void fail_read(FrameDone& waiting, ErrorCode error);
  // Collects what is sent while a write is under way.
  std::shared_ptr<Output> begin_output();
  void write(std::shared_ptr<Output> output);

  std::shared_ptr<TlsIdentity> identity_;
  model::NodeId peer_;  // expected at first (empty: any node of the swarm), then who it is
  boost::asio::ssl::stream<Tcp::socket> stream_;
  bool is_closed_ = false;

  std::vector<char> input_;
  size_t input_begin_ = 0;
  size_t input_end_ = 0;
  std::weak_ptr<FrameDone> waiting_;  // of the read under way
  std::weak_ptr<Output> next_;        // of the write under way
};

}  // namespace swarm::mesh
