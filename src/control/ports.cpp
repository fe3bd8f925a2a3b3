#include "control/ports.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace swarm::control {
namespace {

using model::PublishedPort;

constexpr uint16_t kFirstDynamicPort = 30'000;
constexpr uint16_t kLastDynamicPort = 32'767;

bool is_under_way(const model::Service& service) {
  return service.rollout && !model::is_final(service.rollout->state);
}

// The present ones, and while a rollout is on those of where it comes from and may go back to.
std::vector<PublishedPort> held_ports(const state::View& view, const model::Service& service) {
  std::vector<PublishedPort> ports = view.template_of(service).ports;
  if (is_under_way(service)) {
    const model::Rollout& rollout = *service.rollout;
    for (const model::RevisionNumber number :
         {rollout.from, state::last_converged(view, service, rollout.to)}) {
      if (const state::RevisionPtr revision = view.revision(service.id, number)) {
        ports.insert(ports.end(), revision->task.ports.begin(), revision->task.ports.end());
      }
    }
  }
  return ports;
}

using Binding = std::pair<uint16_t, model::PortProtocol>;

bool is_assigned(const PublishedPort& port) {
  return port.published != 0;
}

bool is_same_target(const PublishedPort& a, const PublishedPort& b) {
  return std::tie(a.target, a.protocol, a.mode) == std::tie(b.target, b.protocol, b.mode);
}

// What `self` had for the target of `port`, unless the new list uses it for something else.
uint16_t kept_port(const std::vector<PublishedPort>& stored, const PublishedPort& port,
                   const std::set<Binding>& taken) {
  for (const PublishedPort& old : stored) {
    if (is_same_target(old, port) && !taken.contains({old.published, old.protocol})) {
      return old.published;
    }
  }
  return 0;
}

uint16_t free_port(model::PortProtocol protocol, const std::set<Binding>& taken) {
  for (uint16_t port = kFirstDynamicPort; port <= kLastDynamicPort; ++port) {
    if (!taken.contains({port, protocol})) {
      return port;
    }
  }
  return 0;
}

// The port at the end of "host:port"; 0 when there is none.
uint16_t port_of(const std::string& address) {
  uint16_t port = 0;
  const size_t colon = address.rfind(':');
  if (colon != address.npos) {
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  }
  return port;
}

Status check_no_node_port(const state::View& view, const std::vector<PublishedPort>& ports) {
  std::map<uint16_t, std::string> used;
  for (const auto& [id, node] : view.nodes()) {
    if (node->manager) {
      used.emplace(port_of(node->manager->address),
                   "swarm port of node " + model::display_name(*node));
    }
    used.emplace(port_of(node->description.mesh_address),
                 "mesh port of node " + model::display_name(*node));
  }
  for (const PublishedPort& port : ports) {
    const auto found = used.find(port.published);
    if (is_assigned(port) && found != used.end()) {
      return absl::InvalidArgumentError("port " + std::to_string(port.published) +
                                        " cannot be published: it is the " + found->second +
                                        "; choose another published port");
    }
  }
  return absl::OkStatus();
}

}  // namespace

Status assign_ports(const state::View& view, const model::ServiceId& self,
                    const std::vector<PublishedPort>& stored, std::vector<PublishedPort>* ports) {
  std::set<Binding> taken;
  for (const PublishedPort& port : *ports) {
    taken.emplace(port.published, port.protocol);
  }
  for (PublishedPort& port : *ports) {
    if (!is_assigned(port)) {
      port.published = kept_port(stored, port, taken);
      taken.emplace(port.published, port.protocol);
    }
  }
  if (std::ranges::all_of(*ports, &is_assigned)) {
    return absl::OkStatus();
  }
  for (const auto& [id, service] : view.services()) {
    if (id == self || service->is_removed) continue;
    for (const PublishedPort& port : held_ports(view, *service)) {
      taken.emplace(port.published, port.protocol);
    }
  }
  for (PublishedPort& port : *ports) {
    if (is_assigned(port)) continue;
    port.published = free_port(port.protocol, taken);
    if (port.published == 0) {
      return absl::ResourceExhaustedError(
          "no port from 30000 to 32767 is free for target " + std::to_string(port.target) +
          ": name a published port, or remove a service that publishes one");
    }
    taken.emplace(port.published, port.protocol);
  }
  return absl::OkStatus();
}

Status check_ports_free(const state::View& view, const model::ServiceId& self,
                        const std::vector<PublishedPort>& ports) {
  for (const PublishedPort& port : ports) {
    if (port.protocol == model::PortProtocol::udp) {
      return absl::InvalidArgumentError(
          "udp ports are not supported yet: they come with networks; publish " +
          std::to_string(port.target) + "/tcp instead");
    }
  }
  if (std::ranges::none_of(ports, &is_assigned)) {
    return absl::OkStatus();  // most services: not worth a look at all the others
  }
  SWARM_RETURN_IF_ERROR(check_no_node_port(view, ports));
  for (const auto& [id, service] : view.services()) {
    if (id == self || service->is_removed) continue;
    for (const PublishedPort& theirs : held_ports(view, *service)) {
      for (const PublishedPort& ours : ports) {
        const bool is_equal = is_assigned(ours) && ours.published == theirs.published &&
                              ours.protocol == theirs.protocol;
        const bool are_separable =
            ours.mode == model::PublishMode::host && theirs.mode == model::PublishMode::host;
        if (is_equal && !are_separable) {
          return absl::AlreadyExistsError(
              "port " + std::to_string(ours.published) + "/" +
              std::string(to_string(ours.protocol)) + " is already published by service \"" +
              service->settings.name + "\" as " +
              (theirs.mode == model::PublishMode::host ? "a host port" : "an ingress port") +
              ": choose another published port");
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace swarm::control
