#include "control/queries.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "control/natural_order.h"

namespace swarm::control {
namespace {

// A task with the name it is sorted by.
struct Row {
  std::string service_name;
  state::TaskPtr task;
};

bool is_before(const Row& a, const Row& b) {
  if (a.service_name != b.service_name) {
    return is_naturally_before(a.service_name, b.service_name);
  }
  // A removed service may share its name with a new one.
  if (a.task->service != b.task->service) return a.task->service < b.task->service;
  if (a.task->slot != b.task->slot) return a.task->slot < b.task->slot;
  if (a.task->meta.created_at != b.task->meta.created_at) {
    return a.task->meta.created_at > b.task->meta.created_at;
  }
  return a.task->id < b.task->id;
}

// Every node serves an ingress port, but a host-mode port only where a task is to run.
bool should_serve(const state::View& view, const model::NodeId& node,
                  const model::ServiceId& service, const model::PublishedPort& port) {
  if (port.mode == model::PublishMode::ingress) return true;
  for (const auto& [id, task] : view.tasks_on(node)) {
    if (task->service == service && task->desired == model::TaskState::running) return true;
  }
  return false;
}

std::optional<std::string> why_closed(const state::View& view, const model::Node& node,
                                      const model::ServiceId& service,
                                      const model::PublishedPort& port,
                                      const std::function<bool(const model::NodeId&)>& has_opened) {
  for (const model::ClosedPort& closed : node.status.closed_ports) {
    if (closed.service == service && closed.port == port) return closed.reason;
  }
  if (!should_serve(view, node.id, service, port)) return std::nullopt;
  const model::NodeCondition* mesh = model::find_condition(node.status, model::ConditionKind::mesh);
  if (mesh != nullptr) return mesh->reason;
  if (!has_opened(node.id)) return "the node has not opened it yet";
  return std::nullopt;
}

}  // namespace

ServiceCount count_service(const state::View& view, const model::Service& service) {
  ServiceCount count;
  count.desired = service.is_removed ? 0 : service.settings.replicas;
  for (const auto& [id, task] : view.tasks_of(service.id)) {
    if (!model::is_working(task->status)) continue;
    const state::NodePtr node = view.node(task->node);
    count.running += node != nullptr && node->status.state != model::NodeState::down ? 1 : 0;
  }
  return count;
}

std::vector<ServiceClosedPort> closed_ports_of(
    const state::View& view, const model::Service& service,
    const std::function<bool(const model::NodeId&)>& has_opened) {
  std::vector<ServiceClosedPort> closed;
  const std::vector<model::PublishedPort>& ports = view.template_of(service).ports;
  if (service.is_removed || ports.empty()) {
    return closed;
  }
  for (const auto& [id, node] : view.nodes()) {
    if (node->status.state != model::NodeState::ready) continue;
    for (const model::PublishedPort& port : ports) {
      const std::optional<std::string> reason =
          why_closed(view, *node, service.id, port, has_opened);
      if (reason && closed.size() < kMaxServiceClosedPorts) {
        closed.push_back({id, node->description.hostname, port, *reason});
      }
    }
  }
  return closed;
}

std::string node_trouble_of(const state::View& view, const model::Task& task) {
  const state::NodePtr node = view.node(task.node);
  if (node == nullptr || model::is_terminal(task.status.state)) return "";
  std::string trouble;
  const auto add = [&trouble](const std::string& reason) {
    trouble += (trouble.empty() ? "" : "; ") + reason;
  };
  const std::vector<model::PublishedPort>& ports = view.template_of(task).ports;
  for (const model::NodeCondition& condition : node->status.conditions) {
    const bool matters = condition.kind == model::ConditionKind::engine ||
                         (condition.kind == model::ConditionKind::mesh && !ports.empty());
    if (matters) add(condition.reason);
  }
  for (const model::ClosedPort& closed : node->status.closed_ports) {
    if (closed.service == task.service) add(closed.reason);
  }
  return trouble;
}

std::vector<state::ServicePtr> list_services(const state::View& view) {
  std::vector<state::ServicePtr> services;
  for (const auto& [id, service] : view.services()) {
    if (!service->is_removed) {
      services.push_back(service);
    }
  }
  std::sort(services.begin(), services.end(), [](const auto& a, const auto& b) {
    return is_naturally_before(a->settings.name, b->settings.name);
  });
  return services;
}

std::vector<state::NodePtr> list_nodes(const state::View& view) {
  std::vector<state::NodePtr> nodes;
  for (const auto& [id, node] : view.nodes()) {
    nodes.push_back(node);
  }
  // Stable: nodes of one host stay in order of their ids.
  std::stable_sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) {
    return is_naturally_before(a->description.hostname, b->description.hostname);
  });
  return nodes;
}

model::Resources reserved_on(const state::View& view, const model::NodeId& node) {
  model::Resources reserved;
  for (const auto& [id, task] : view.tasks_on(node)) {
    if (model::is_terminal(task->status.state)) continue;
    const model::Resources& one = view.template_of(*task).resources->reservations;
    reserved.nano_cpus += one.nano_cpus;
    reserved.memory_bytes += one.memory_bytes;
  }
  return reserved;
}

std::vector<state::TaskPtr> list_tasks(const state::View& view,
                                       const std::vector<model::ServiceId>& services,
                                       const std::vector<model::NodeId>& nodes) {
  const std::set<model::ServiceId> wanted_services(services.begin(), services.end());
  const std::set<model::NodeId> wanted_nodes(nodes.begin(), nodes.end());
  std::vector<Row> rows;
  for (const auto& [service_id, service] : view.services()) {
    if (!wanted_services.empty() && !wanted_services.contains(service_id)) continue;
    for (const auto& [task_id, task] : view.tasks_of(service_id)) {
      if (wanted_nodes.empty() || wanted_nodes.contains(task->node)) {
        rows.push_back({service->settings.name, task});
      }
    }
  }
  std::sort(rows.begin(), rows.end(), is_before);
  std::vector<state::TaskPtr> tasks;
  tasks.reserve(rows.size());
  for (Row& row : rows) {
    tasks.push_back(std::move(row.task));
  }
  return tasks;
}

}  // namespace swarm::control
