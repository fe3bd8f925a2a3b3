#include "dispatcher/mesh_table_builder.h"

#include <optional>
#include <utility>
#include <variant>

namespace swarm::dispatcher {

using model::TaskState;

namespace {

// What of a task shows in the table.
std::optional<std::pair<model::NodeId, model::EndpointState>> endpoint_of(const model::Task* task) {
  if (task == nullptr || task->status.state != TaskState::running) {
    return std::nullopt;
  }
  const bool is_wanted = task->desired < TaskState::shutdown;
  return std::pair(task->node,
                   is_wanted ? model::EndpointState::ready : model::EndpointState::draining);
}

std::optional<model::MeshService> mesh_service_of(const state::View& view,
                                                  const model::ServiceId& id) {
  const state::ServicePtr service = view.service(id);
  if (service == nullptr) {
    return std::nullopt;
  }
  const std::vector<model::PublishedPort>& ports = view.template_of(*service).ports;
  if (ports.empty()) {
    return std::nullopt;
  }
  model::MeshService mesh;
  mesh.service = id;
  mesh.name = service->settings.name;
  if (!service->is_removed) {
    mesh.ports = ports;
  }
  for (const auto& [task_id, task] : view.tasks_of(id)) {
    const auto endpoint = endpoint_of(task.get());
    const state::NodePtr node = endpoint ? view.node(endpoint->first) : nullptr;
    if (node != nullptr && !node->description.mesh_address.empty()) {
      mesh.endpoints.push_back(
          {task_id, node->id, node->description.mesh_address, endpoint->second});
    }
  }
  if (mesh.ports.empty() && mesh.endpoints.empty()) {
    return std::nullopt;
  }
  return mesh;
}

// Meshes take no table that is older than theirs. After a recovery positions may begin before those
// of tables that are out already, so the recoveries stand above them: 2^40 transactions are room
// for years of any load.
model::Position position_of(const state::View& view) {
  const uint64_t recoveries = view.cluster() == nullptr ? 0 : view.cluster()->recoveries;
  return (recoveries << 40) + view.position();
}

}  // namespace

void MeshTableBuilder::load(const state::View& view) {
  for (const auto& [id, service] : view.services()) {
    dirty_.insert(id);
  }
  has_new_removals_ = true;
  table_.position = position_of(view);
  refresh(view);
}

bool MeshTableBuilder::observe(const state::View& view, const state::Change& change) {
  if (const auto* before = std::get_if<state::TaskPtr>(&change.before)) {
    const state::TaskPtr& after = std::get<state::TaskPtr>(change.after);
    if (endpoint_of(before->get()) != endpoint_of(after.get())) {
      dirty_.insert(after != nullptr ? after->service : (*before)->service);
    }
  } else if (const auto* before = std::get_if<state::ServicePtr>(&change.before)) {
    const state::ServicePtr& after = std::get<state::ServicePtr>(change.after);
    dirty_.insert(after != nullptr ? after->id : (*before)->id);
  } else if (const auto* before = std::get_if<state::NodePtr>(&change.before)) {
    const state::NodePtr& after = std::get<state::NodePtr>(change.after);
    const bool has_moved = *before == nullptr || after == nullptr ||
                           (*before)->description.mesh_address != after->description.mesh_address;
    if (has_moved) {
      for (const auto& [id, task] : view.tasks_on(after != nullptr ? after->id : (*before)->id)) {
        dirty_.insert(task->service);
      }
    }
  } else if (const auto* cluster = std::get_if<state::ClusterPtr>(&change.after)) {
    const state::ClusterPtr& before = std::get<state::ClusterPtr>(change.before);
    has_new_removals_ = has_new_removals_ || before == nullptr || *cluster == nullptr ||
                        before->removed_nodes != (*cluster)->removed_nodes;
  }
  return !dirty_.empty() || has_new_removals_;
}

bool MeshTableBuilder::refresh_removed(const state::View& view) {
  if (!std::exchange(has_new_removals_, false) || view.cluster() == nullptr) {
    return false;
  }
  const std::set<model::NodeId>& removed = view.cluster()->removed_nodes;
  if (std::equal(removed.begin(), removed.end(), table_.removed_nodes.begin(),
                 table_.removed_nodes.end())) {
    return false;
  }
  table_.removed_nodes.assign(removed.begin(), removed.end());
  return true;
}

bool MeshTableBuilder::refresh_service(const state::View& view, const model::ServiceId& id) {
  std::optional<model::MeshService> mesh = mesh_service_of(view, id);
  const auto found = services_.find(id);
  if (!mesh) {
    ports_since_.erase(id);
    return services_.erase(id) > 0;
  }
  if (found == services_.end() || found->second.ports != mesh->ports) {
    ports_since_[id] = position_of(view);
  }
  if (found != services_.end() && found->second == *mesh) {
    return false;
  }
  services_[id] = *std::move(mesh);
  return true;
}

std::optional<model::Position> MeshTableBuilder::ports_since(
    const state::View& view, const model::ServiceId& service) const {
  const auto known = services_.find(service);
  const auto since = ports_since_.find(service);
  const state::ServicePtr stored = view.service(service);
  if (known == services_.end() || since == ports_since_.end() || stored == nullptr ||
      known->second.ports != view.template_of(*stored).ports) {
    return std::nullopt;
  }
  return since->second;
}

bool MeshTableBuilder::refresh(const state::View& view) {
  bool has_changed = refresh_removed(view);
  for (const model::ServiceId& id : std::exchange(dirty_, {})) {
    has_changed = refresh_service(view, id) || has_changed;
  }
  if (!has_changed) {
    return false;
  }
  table_.position = position_of(view);
  table_.services.clear();
  for (const auto& [id, service] : services_) {
    table_.services.push_back(service);
  }
  return true;
}

}  // namespace swarm::dispatcher
