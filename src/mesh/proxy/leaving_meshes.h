#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "mesh/control_message.h"
#include "mesh/proxy/control_channel.h"

namespace swarm::mesh {

// The meshes of earlier builds, which have left their listening sockets to the present one and
// serve their open connections to the end. They are told all that it is told: their connections
// move, and a task that stops waits for them, too. On the agent's loop.
class LeavingMeshes {
 public:
  // `on_answered`: of that task one of them has no connection left, or has ended.
  explicit LeavingMeshes(std::function<void(const model::TaskId&)> on_answered)
      : on_answered_(std::move(on_answered)) {}
  ~LeavingMeshes();

  void add(std::shared_ptr<ControlChannel> channel);
  void send(const ControlMessage& message);
  // Whether one of them has connections of this task, which was to be retired.
  bool is_busy_with(const model::TaskId& task) const;
  size_t size() const { return meshes_.size(); }

 private:
  struct Mesh {
    std::shared_ptr<ControlChannel> channel;
    std::set<model::TaskId> unanswered;
  };

  void on_message(Mesh& mesh, const ControlMessage& message);
  void on_closed(const Mesh* mesh);

  const std::function<void(const model::TaskId&)> on_answered_;
  std::vector<std::unique_ptr<Mesh>> meshes_;
};

}  // namespace swarm::mesh
