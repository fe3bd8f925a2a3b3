#include "mesh/port_plan.h"

#include <algorithm>

namespace swarm::mesh {

namespace {

bool is_owner(const std::map<uint16_t, OpenPort>& current, uint16_t published,
              const model::ServiceId& service) {
  const auto found = current.find(published);
  return found != current.end() && found->second.key.service == service;
}

std::string name_of(const model::MeshTable& table, const model::ServiceId& service) {
  const auto found = std::find_if(table.services.begin(), table.services.end(),
                                  [&](const auto& s) { return s.service == service; });
  return found == table.services.end() ? service.value() : found->name;
}

}  // namespace

std::string port_text(const model::PublishedPort& port) {
  return std::to_string(port.published) +
         (port.protocol == model::PortProtocol::tcp ? "/tcp" : "/udp");
}

PortPlan plan_ports(const model::MeshTable& table,
                    const std::function<bool(const model::ServiceId&)>& serves_host,
                    const std::map<uint16_t, OpenPort>& current) {
  PortPlan plan;
  std::vector<OpenPort> wanted;
  for (const model::MeshService& service : table.services) {
    for (const model::PublishedPort& port : service.ports) {
      const bool is_here = port.mode == model::PublishMode::ingress || serves_host(service.service);
      if (!is_here) continue;
      if (port.protocol == model::PortProtocol::udp) {
        plan.issues.push_back({service.service, port,
                               "port " + port_text(port) +
                                   ": udp is not supported yet by the mesh; publish it as tcp"});
        continue;
      }
      wanted.push_back({{service.service, port.target, port.mode}, port});
    }
  }
  std::stable_partition(wanted.begin(), wanted.end(), [&](const OpenPort& open) {
    return is_owner(current, open.port.published, open.key.service);
  });
  for (OpenPort& open : wanted) {
    const auto [place, is_new] = plan.open.try_emplace(open.port.published, open);
    if (!is_new) {
      plan.issues.push_back({open.key.service, open.port,
                             "port " + port_text(open.port) + " belongs to service " +
                                 name_of(table, place->second.key.service)});
    }
  }
  return plan;
}

}  // namespace swarm::mesh
