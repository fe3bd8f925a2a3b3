#include "mesh/proxy/leaving_meshes.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.h"

namespace swarm::mesh {

LeavingMeshes::~LeavingMeshes() {
  for (const auto& mesh : meshes_) {
    mesh->channel->close();
  }
}

void LeavingMeshes::add(std::shared_ptr<ControlChannel> channel) {
  auto mesh = std::make_unique<Mesh>();
  mesh->channel = std::move(channel);
  Mesh* const raw = mesh.get();
  meshes_.push_back(std::move(mesh));
  raw->channel->set_events(
      {[this, raw](const ControlMessage& message) { on_message(*raw, message); },
       [this, raw] { on_closed(raw); }});
}

void LeavingMeshes::send(const ControlMessage& message) {
  const auto* retire = std::get_if<Retire>(&message);
  // A channel that fails takes its mesh out of the list.
  std::vector<std::shared_ptr<ControlChannel>> channels;
  for (const auto& mesh : meshes_) {
    if (retire != nullptr) mesh->unanswered.insert(retire->task);
    channels.push_back(mesh->channel);
  }
  for (const auto& channel : channels) {
    channel->send(message);
  }
}

bool LeavingMeshes::is_busy_with(const model::TaskId& task) const {
  return std::any_of(meshes_.begin(), meshes_.end(),
                     [&task](const auto& mesh) { return mesh->unanswered.contains(task); });
}

void LeavingMeshes::on_message(Mesh& mesh, const ControlMessage& message) {
  if (const auto* retired = std::get_if<Retired>(&message)) {
    const model::TaskId task = retired->task;
    mesh.unanswered.erase(task);
    on_answered_(task);
  }
}

void LeavingMeshes::on_closed(const Mesh* closed) {
  log::info("mesh of an earlier build ended");
  const std::set<model::TaskId> unanswered = closed->unanswered;
  std::erase_if(meshes_, [closed](const auto& mesh) { return mesh.get() == closed; });
  for (const model::TaskId& task : unanswered) {
    on_answered_(task);
  }
}

}  // namespace swarm::mesh
