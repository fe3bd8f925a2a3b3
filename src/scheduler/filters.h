#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "scheduler/node_ledger.h"

namespace swarm::scheduler {

// The pipeline, in order; the first that refuses a node stops it.
//   ready          heard of, and open for new tasks
//   engine         its engine answers
//   mesh           its mesh runs, if the revision publishes ports
//   resources      what is described minus what is reserved is enough
//   constraints    all of the revision's hold
//   host_port      no other service has a host-mode port of the revision on the node
//   max_replicas   fewer slots of the service than the limit per node
// There is no filter for what the store does not say (platform of an image, volumes).
enum class Filter : uint8_t {
  ready,
  engine,
  mesh,
  resources,
  constraints,
  host_port,
  max_replicas
};
inline constexpr size_t kFilterCount = 7;

// The filter that refuses the node; nothing when it fits.
std::optional<Filter> refusal(const NodeAccount& account, const Needs& needs);

// Nothing stands against the node but that it is suspect: it may be ready again in a moment.
bool is_refused_for_suspicion_only(const NodeAccount& account, const Needs& needs);

// How many nodes each filter refused.
using Refusals = std::array<size_t, kFilterCount>;

// "no suitable node (insufficient resources on 2 nodes; 1 node not available for new tasks)": most
// frequent first, then in the order of the pipeline. `port_holder`, when known, says who holds a
// port on one of the nodes (port_holder.h).
std::string explain(const Refusals& refusals, const std::string& port_holder = "");

}  // namespace swarm::scheduler
