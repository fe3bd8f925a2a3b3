#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/agent_messages.h"

namespace swarm::mesh {

// What a connection to a published port is for.
struct RouteKey {
  model::ServiceId service;
  uint16_t target = 0;
  model::PublishMode mode = model::PublishMode::ingress;

  auto operator<=>(const RouteKey&) const = default;
};

// A published port that cannot be served on this node, and why, as a sentence for a person.
struct PortIssue {
  model::ServiceId service;
  model::PublishedPort port;
  std::string error;

  bool operator==(const PortIssue&) const = default;
};

struct OpenPort {
  RouteKey key;
  model::PublishedPort port;

  bool operator==(const OpenPort&) const = default;
};

// The TCP ports this node should listen on, by published number, and what stands in the way of
// others.
struct PortPlan {
  std::map<uint16_t, OpenPort> open;
  std::vector<PortIssue> issues;

  bool operator==(const PortPlan&) const = default;
};

// `ingress` ports are open on every node; `host` ports where `serves_host(service)`. `current` are
// the ports open now: should two services want one port for a moment (one is being replaced by the
// other), it stays with the one that has it as long as that wants it.
PortPlan plan_ports(const model::MeshTable& table,
                    const std::function<bool(const model::ServiceId&)>& serves_host,
                    const std::map<uint16_t, OpenPort>& current);

// "8080/tcp"
std::string port_text(const model::PublishedPort& port);

}  // namespace swarm::mesh
