#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/result.h"
#include "model/service.h"

// Tasks as containers: what an engine is asked to make, and what it says about one. Pure.
namespace swarm::runtime {

// "web.3.<task id>".
std::string container_name(const agent::TaskLabels& labels);

// The body of POST /containers/create. FAILED_PRECONDITION for what Docker has no form for.
Result<std::string> create_body(const agent::TaskLabels& labels, const model::TaskTemplate& spec);

// One published target; kept as a label, for the task to be found again.
struct TargetPort {
  uint16_t target = 0;
  model::PortProtocol protocol = model::PortProtocol::tcp;

  auto operator<=>(const TargetPort&) const = default;
};
std::vector<TargetPort> target_ports(const model::TaskTemplate& spec);

// What the engine knows of a container of ours.
struct ContainerState {
  enum class Status { created, running, exited };
  enum class Health { none, starting, healthy, unhealthy };

  std::string id;
  std::optional<agent::TaskLabels> labels;  // not set: no container of ours
  std::vector<TargetPort> ports;
  Status status = Status::created;
  Health health = Health::none;
  std::string health_output;  // of the last failed check
  int32_t exit_code = 0;
  std::string error;    // why it ended, if there is more to say than the code
  std::string address;  // its private one; empty when it has none

  // Where its ports answer, and where its tcp ports do.
  std::vector<agent::TaskAddress> addresses() const;
  std::vector<std::string> tcp_addresses() const;
};

// From GET /containers/ID/json. INTERNAL when it cannot be read.
Result<ContainerState> parse_container(std::string_view text);

// The label that every container of ours carries, with its value: Podman's event filter knows
// labels with values only.
inline constexpr const char* kManagedLabel = "com.swarmd.managed=true";
// Filters for the containers of one node.
std::vector<std::string> owner_labels(const model::SwarmId& swarm, const model::NodeId& node);

}  // namespace swarm::runtime
