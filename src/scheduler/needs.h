#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/service.h"
#include "model/validate.h"

namespace swarm::scheduler {

// A published port that is bound to the task's own node. Two services may not share one; tasks of
// one service may, because the port belongs to the node's mesh and not to a container.
using HostPort = std::pair<uint16_t, model::PortProtocol>;

// What a revision asks of a node, parsed once. Immutable and shared by all tasks of the revision.
struct Needs {
  model::ServiceId service;
  model::RevisionNumber revision = 0;
  model::Resources reservations;
  std::vector<model::Constraint> constraints;
  // A stored constraint that cannot be read (validation refuses them) is met by no node.
  bool has_bad_constraint = false;
  std::vector<std::string> preferences;
  uint64_t max_replicas_per_node = 0;
  std::vector<HostPort> host_ports;
  bool has_published_ports = false;
  // Clients or data know the node: a successor must not move while the node fits.
  bool is_tied_to_node = false;
};

Needs parse_needs(const model::ServiceId& service, model::RevisionNumber revision,
                  const model::TaskTemplate& task);

}  // namespace swarm::scheduler
