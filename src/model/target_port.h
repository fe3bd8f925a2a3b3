#pragma once

#include <cstdint>
#include <vector>

#include "model/service.h"

namespace swarm::model {

// Where a task listens, whatever that is published as.
struct TargetPort {
  uint16_t target = 0;
  PortProtocol protocol = PortProtocol::tcp;

  auto operator<=>(const TargetPort&) const = default;
};

// Those of `published`: sorted, each once.
std::vector<TargetPort> target_ports(const std::vector<PublishedPort>& published);

}  // namespace swarm::model
