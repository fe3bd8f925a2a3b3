#pragma once

#include "base/result.h"
#include "model/cluster.h"

namespace swarm::v1 {
class Cluster;
}  // namespace swarm::v1

// The cluster object, secrets included: whoever sends it to a person clears ca_key and the token
// secrets first. Errors as in service_codec.h.
namespace swarm::wire {

void encode(const model::Cluster& cluster, v1::Cluster* out);
Result<model::Cluster> decode(const v1::Cluster& in);

}  // namespace swarm::wire
