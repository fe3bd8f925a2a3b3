#include "scheduler/port_holder.h"

#include <algorithm>

namespace swarm::scheduler {
namespace {

bool is_stopping(const model::Task& task) {
  return task.desired > model::TaskState::running;
}

bool publishes(const model::TaskTemplate& task, const HostPort& port) {
  return std::any_of(task.ports.begin(), task.ports.end(), [&](const model::PublishedPort& other) {
    return other.mode == model::PublishMode::host &&
           HostPort(other.published, other.protocol) == port;
  });
}

// Null when no task of another service holds the port.
state::TaskPtr holder_of(const state::View& view, const NodeAccount& account, const HostPort& port,
                         const model::ServiceId& asking) {
  state::TaskPtr holder;
  for (const auto& [id, task] : view.tasks_on(account.node->id)) {
    const bool holds = task->service != asking && !model::is_terminal(task->status.state) &&
                       publishes(view.template_of(*task), port);
    if (holds && (!holder || (is_stopping(*holder) && !is_stopping(*task)))) {
      holder = task;
    }
  }
  return holder;
}

}  // namespace

std::string port_holder_on(const state::View& view, const NodeAccount& account,
                           const Needs& needs) {
  for (const HostPort& port : needs.host_ports) {
    const state::TaskPtr holder = holder_of(view, account, port, needs.service);
    if (!holder) {
      continue;
    }
    const state::ServicePtr service = view.service(holder->service);
    return "port " + std::to_string(port.first) + " on node " + model::display_name(*account.node) +
           " is held by " +
           model::task_name(service ? service->settings.name : holder->service.value(), *holder) +
           (is_stopping(*holder) ? " (stopping)" : "");
  }
  return "";
}

}  // namespace swarm::scheduler
