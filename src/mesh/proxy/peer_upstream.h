#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "mesh/proxy/upstream.h"

namespace swarm::mesh {

// A task of another node: one stream over a link to that node's mesh. The link goes back to the
// pool when both sides have said their last word.
class PeerUpstream final : public Upstream, public std::enable_shared_from_this<PeerUpstream> {
 public:
  PeerUpstream(std::shared_ptr<MeshNode> node, Route route, uint16_t target, Callback on_drain);

  void open(OpenDone done) override;
  void read(TcpEnd::ReadDone done) override;
  void write(std::string_view bytes, TcpEnd::WriteDone done) override;
  void shutdown_send() override;
  void leave(Leave how) override;

 private:
  void open_pooled(OpenDone done);
  void open_fresh(OpenDone done);
  void ask(OpenDone done);
  void on_answer(const Frame& frame, OpenDone done);
  void drop_until_last_word();
  void finish();

  const std::shared_ptr<MeshNode> node_;
  const Route route_;
  const uint16_t target_;
  std::shared_ptr<Callback> on_drain_;
  std::optional<TaskLease> lease_;
  std::shared_ptr<PeerLink> link_;
  boost::asio::steady_timer timer_;  // of the opening, later of the farewell
  bool is_open_ = false;
  bool is_late_ = false;
  bool is_left_ = false;
  bool said_end_ = false;
  bool heard_last_word_ = false;
};

}  // namespace swarm::mesh
