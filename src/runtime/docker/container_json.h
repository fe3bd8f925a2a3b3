#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/result.h"
#include "base/time.h"
#include "model/service.h"
#include "model/target_port.h"

// Tasks as containers: what an engine is asked to make, and what it says about one. Pure.
namespace swarm::runtime {

// "web.3.<task id>".
std::string container_name(const agent::TaskLabels& labels);

// The body of POST /containers/create. FAILED_PRECONDITION for what Docker has no form for.
Result<std::string> create_body(const agent::TaskLabels& labels, const model::TaskTemplate& spec);

using model::TargetPort;  // kept as a label, for the task to be found again

// What the engine knows of a container of ours.
struct ContainerState {
  enum class Status { created, running, exited };
  enum class Health { none, starting, healthy, unhealthy };

  std::string id;
  std::optional<agent::TaskLabels> labels;  // not set: no container of ours
  std::vector<TargetPort> ports;
  // The engine's own check, of the service or of the image.
  struct HealthCommand {
    std::vector<std::string> command;  // empty: there is none
    Duration interval = seconds(30);   // the engine's defaults
    Duration timeout = seconds(30);
  };

  Status status = Status::created;
  std::string raw_status;  // the engine's word for it
  bool is_paused = false;
  std::string started_at;  // names the run: another value is another run of the same container
  Health health = Health::none;
  std::string health_output;  // of the last failed check
  HealthCommand health_command;
  int32_t exit_code = 0;
  std::string error;  // why it ended, if there is more to say than the code
  std::string stop_signal;
  std::string restart_policy;  // "no" unless somebody changed it
  std::string address;         // its private one; empty when it has none

  // Where its ports answer, and where its tcp ports do.
  std::vector<agent::TaskAddress> addresses() const;
  std::vector<agent::TaskAddress> tcp_addresses() const;
};

// What a failed health check has to say: "exit code 1: no database". The engine's own code for a
// check that took too long is negative, and its output says so.
std::string describe_failure(int64_t exit_code, std::string_view output);

// From GET /containers/ID/json. INTERNAL when it cannot be read.
Result<ContainerState> parse_container(std::string_view text);

// Filters for the containers of one node.
std::vector<std::string> owner_labels(const model::SwarmId& swarm, const model::NodeId& node);

}  // namespace swarm::runtime
