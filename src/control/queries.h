#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/node.h"
#include "model/task.h"
#include "state/view.h"

// What tables and inspections show, counted the same way for every transport.
namespace swarm::control {

struct ServiceCount {
  uint64_t running = 0;  // tasks observed running, any revision, on nodes that are not down
  uint64_t desired = 0;
};
ServiceCount count_service(const state::View& view, const model::Service& service);

// A published port of a service that a node should serve but does not.
struct ServiceClosedPort {
  model::NodeId node;
  std::string node_hostname;
  model::PublishedPort port;
  std::string reason;
};
// Enough to name the cause; a port that is closed on every node of a large swarm has one.
inline constexpr size_t kMaxServiceClosedPorts = 20;
// Of the nodes that are up, in the order of their ids. A node whose mesh does not run counts with
// every port it should serve, and so does one that has not confirmed by now that the ports are open
// (`has_opened`).
std::vector<ServiceClosedPort> closed_ports_of(
    const state::View& view, const model::Service& service,
    const std::function<bool(const model::NodeId&)>& has_opened);

// What is wrong with the node of a task, as far as the task suffers from it: the engine or the mesh
// does not answer, a published port of its service is closed. Empty when all is well.
std::string node_trouble_of(const state::View& view, const model::Task& task);

// Services that were not removed, in natural order of their names ("web2" before "web10").
std::vector<state::ServicePtr> list_services(const state::View& view);
std::vector<state::NodePtr> list_nodes(const state::View& view);  // natural order of hostnames

// Reservations of the tasks placed on a node that are not over.
model::Resources reserved_on(const state::View& view, const model::NodeId& node);

// By service name and slot, the newest task of a slot first.
std::vector<state::TaskPtr> list_tasks(const state::View& view,
                                       const std::vector<model::ServiceId>& services,
                                       const std::vector<model::NodeId>& nodes);

}  // namespace swarm::control
