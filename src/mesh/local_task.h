#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/ids.h"

namespace swarm::mesh {

// Where a task of this node answers on one target port.
struct TargetAddress {
  uint16_t target = 0;
  std::string address;  // "172.17.0.3:80"

  bool operator==(const TargetAddress&) const = default;
};

// A task of this node that connections may be given to.
struct LocalTask {
  model::TaskId task;
  model::ServiceId service;
  std::vector<TargetAddress> addresses;

  bool operator==(const LocalTask&) const = default;
};

}  // namespace swarm::mesh
