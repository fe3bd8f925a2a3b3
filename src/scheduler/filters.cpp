#include "scheduler/filters.h"

#include <algorithm>
#include <numeric>

#include "model/placement.h"

namespace swarm::scheduler {
namespace {

bool is_ready(const NodeAccount& account, const Needs&) {
  return account.node->status.state == model::NodeState::ready &&
         account.node->spec.availability == model::Availability::active;
}

bool has_engine(const NodeAccount& account, const Needs&) {
  return !model::find_condition(account.node->status, model::ConditionKind::engine);
}

bool has_mesh(const NodeAccount& account, const Needs& needs) {
  return !needs.has_published_ports ||
         !model::find_condition(account.node->status, model::ConditionKind::mesh);
}

bool has_resources(const NodeAccount& account, const Needs& needs) {
  const model::Resources free = NodeLedger::free_on(account);
  const model::Resources& asked = needs.reservations;
  // What is not reserved is not checked: an overbooked node still takes tasks that ask for nothing.
  return (asked.nano_cpus == 0 || asked.nano_cpus <= free.nano_cpus) &&
         (asked.memory_bytes == 0 || asked.memory_bytes <= free.memory_bytes);
}

bool meets_constraints(const NodeAccount& account, const Needs& needs) {
  return !needs.has_bad_constraint && model::matches_all(needs.constraints, *account.node);
}

bool has_free_ports(const NodeAccount& account, const Needs& needs) {
  return std::all_of(needs.host_ports.begin(), needs.host_ports.end(), [&](const HostPort& port) {
    const auto found = account.host_ports.find(port);
    return found == account.host_ports.end() ||
           (found->second.size() == 1 && found->second.begin()->first == needs.service);
  });
}

bool is_below_max_replicas(const NodeAccount& account, const Needs& needs) {
  return needs.max_replicas_per_node == 0 ||
         account.of_service(needs.service).occupied < needs.max_replicas_per_node;
}

using Passes = bool (*)(const NodeAccount&, const Needs&);
using Sentence = std::string (*)(size_t nodes);

std::string on_nodes(size_t nodes) {
  return " on " + std::to_string(nodes) + (nodes == 1 ? " node" : " nodes");
}

struct NamedFilter {
  Filter filter;
  Passes passes;
  Sentence sentence;
};

constexpr std::array<NamedFilter, kFilterCount> kPipeline = {{
    {Filter::ready, is_ready,
     [](size_t nodes) {
       return std::to_string(nodes) + (nodes == 1 ? " node" : " nodes") +
              " not available for new tasks";
     }},
    {Filter::engine, has_engine,
     [](size_t nodes) { return "the engine does not answer" + on_nodes(nodes); }},
    {Filter::mesh, has_mesh,
     [](size_t nodes) { return "the mesh does not run" + on_nodes(nodes); }},
    {Filter::resources, has_resources,
     [](size_t nodes) { return "insufficient resources" + on_nodes(nodes); }},
    {Filter::constraints, meets_constraints,
     [](size_t nodes) { return "scheduling constraints not satisfied" + on_nodes(nodes); }},
    {Filter::host_port, has_free_ports,
     [](size_t nodes) { return "host-mode port already in use" + on_nodes(nodes); }},
    {Filter::max_replicas, is_below_max_replicas,
     [](size_t nodes) { return "max replicas per node limit exceeded" + on_nodes(nodes); }},
}};

}  // namespace

std::optional<Filter> refusal(const NodeAccount& account, const Needs& needs) {
  for (const NamedFilter& filter : kPipeline) {
    if (!filter.passes(account, needs)) {
      return filter.filter;
    }
  }
  return std::nullopt;
}

bool is_refused_for_suspicion_only(const NodeAccount& account, const Needs& needs) {
  return account.node->status.state == model::NodeState::suspect &&
         account.node->spec.availability == model::Availability::active &&
         std::all_of(kPipeline.begin(), kPipeline.end(), [&](const NamedFilter& filter) {
           return filter.filter == Filter::ready || filter.passes(account, needs);
         });
}

std::string explain(const Refusals& refusals, const std::string& port_holder) {
  std::array<size_t, kFilterCount> order;
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return refusals[a] > refusals[b]; });
  std::string reasons;
  for (const size_t index : order) {
    if (refusals[index] > 0) {
      reasons += (reasons.empty() ? "" : "; ") + kPipeline[index].sentence(refusals[index]);
      if (kPipeline[index].filter == Filter::host_port && !port_holder.empty()) {
        reasons += ": " + port_holder;
      }
    }
  }
  return reasons.empty() ? "no suitable node (the swarm has no nodes)"
                         : "no suitable node (" + reasons + ")";
}

}  // namespace swarm::scheduler
