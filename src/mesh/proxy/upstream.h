#pragma once

#include <memory>
#include <string_view>

#include "base/event_loop.h"
#include "mesh/proxy/mesh_node.h"

namespace swarm::mesh {

// The task side of one client connection, on this node or through the mesh of another. One read and
// one write at a time; callbacks as in TcpEnd. On the loop of the mesh.
class Upstream {
 public:
  using OpenDone = absl::AnyInvocable<void(Status)>;

  // Whether the task should see an orderly end.
  enum class Leave { clean, reset };

  virtual ~Upstream() = default;

  // Reaches the task. On error nothing has been sent to it: another may be tried.
  virtual void open(OpenDone done) = 0;
  // error::eof: the task has ended its direction. Any other error: the connection broke.
  virtual void read(TcpEnd::ReadDone done) = 0;
  virtual void write(std::string_view bytes, TcpEnd::WriteDone done) = 0;
  virtual void shutdown_send() = 0;
  // The client does without it from now on. Callbacks that are pending may still come: their owner
  // must know that they are of the past.
  virtual void leave(Leave how) = 0;
};

// `on_drain`: the task is about to be stopped; leave when you can. May come at any time after
// `open` was called.
std::shared_ptr<Upstream> make_upstream(const std::shared_ptr<MeshNode>& node, const Route& route,
                                        uint16_t target, Callback on_drain);

}  // namespace swarm::mesh
