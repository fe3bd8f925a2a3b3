#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "mesh/proxy/mesh_node.h"
#include "mesh/proxy/peer_link.h"
#include "platform/arrivals.h"

namespace swarm::mesh {

// The other end of a link: another mesh asks for tasks of this node, one stream after the other
// (see frame.h). Admission happens here, at the last moment before the task is connected.
//
// Keeps itself alive by its pending operations; ends with the link. On the loop of the mesh.
class OwnerSession : public std::enable_shared_from_this<OwnerSession> {
 public:
  // `place`: among the connections of strangers, until the other mesh has shown its node.
  OwnerSession(std::shared_ptr<MeshNode> node, Tcp::socket socket, platform::Arrivals::Place place);

  // Requires an identity.
  void start();
  // Ends the link unless it carries a stream; then it ends with that.
  void close_if_idle();

 private:
  void read_link();
  void on_frame(const Frame& frame);
  void open(std::string_view payload);
  void on_connected(ErrorCode error);
  void decline(std::string_view reason);
  void on_entry_data(std::string_view bytes);
  void on_entry_last_word(bool is_reset);
  void read_task();
  void say_last_word(FrameType word);
  void end_stream_if_over();
  void end_stream(bool is_reset);
  void on_drain();
  void close();

  const std::shared_ptr<MeshNode> node_;
  std::shared_ptr<PeerLink> link_;
  platform::Arrivals::Place place_;
  boost::asio::steady_timer timer_;

  // ---- of the stream ----
  uint64_t stream_ = 0;  // late callbacks of the one before are told by it
  std::shared_ptr<TcpEnd> task_;
  std::optional<TaskLease> lease_;
  bool is_relaying_ = false;
  bool is_draining_ = false;
  bool said_last_word_ = false;
  bool heard_last_word_ = false;
};

}  // namespace swarm::mesh
