#include "scheduler/needs.h"

#include "model/update_order.h"

namespace swarm::scheduler {

Needs parse_needs(const model::ServiceId& service, model::RevisionNumber revision,
                  const model::TaskTemplate& task) {
  Needs needs;
  needs.service = service;
  needs.revision = revision;
  needs.reservations = task.resources->reservations;
  for (const std::string& text : task.placement->constraints) {
    Result<model::Constraint> constraint = model::parse_constraint(text);
    if (constraint.ok()) {
      needs.constraints.push_back(*std::move(constraint));
    } else {
      needs.has_bad_constraint = true;
    }
  }
  needs.preferences = task.placement->preferences;
  needs.max_replicas_per_node = task.placement->max_replicas_per_node;
  needs.has_published_ports = !task.ports.empty();
  for (const model::PublishedPort& port : task.ports) {
    if (port.mode == model::PublishMode::host && port.published != 0) {
      needs.host_ports.emplace_back(port.published, port.protocol);
    }
  }
  needs.is_tied_to_node = !needs.host_ports.empty() || model::keeps_data_on_node(task);
  return needs;
}

}  // namespace swarm::scheduler
