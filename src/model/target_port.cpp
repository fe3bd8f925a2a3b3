#include "model/target_port.h"

#include <set>

namespace swarm::model {

std::vector<TargetPort> target_ports(const std::vector<PublishedPort>& published) {
  std::set<TargetPort> ports;
  for (const PublishedPort& port : published) {
    ports.insert({.target = port.target, .protocol = port.protocol});
  }
  return {ports.begin(), ports.end()};
}

}  // namespace swarm::model
