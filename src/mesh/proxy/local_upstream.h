#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "mesh/proxy/upstream.h"

namespace swarm::mesh {

// A task of this node: a TCP connection to it, and the lease that makes it count.
class LocalUpstream final : public Upstream, public std::enable_shared_from_this<LocalUpstream> {
 public:
  LocalUpstream(std::shared_ptr<MeshNode> node, const model::TaskId& task, std::string address,
                Callback on_drain);

  void open(OpenDone done) override;
  void read(TcpEnd::ReadDone done) override;
  void write(std::string_view bytes, TcpEnd::WriteDone done) override;
  void shutdown_send() override;
  void leave(Leave how) override;

 private:
  const std::shared_ptr<MeshNode> node_;
  const std::string address_;
  std::optional<TaskLease> lease_;
  TcpEnd task_;
  boost::asio::steady_timer connect_timer_;
};

}  // namespace swarm::mesh
