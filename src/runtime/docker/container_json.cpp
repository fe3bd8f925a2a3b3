#include "runtime/docker/container_json.h"

#include <algorithm>

#include "runtime/docker/json_fields.h"
#include "runtime/probe/check_output.h"

namespace swarm::runtime {

namespace {

using nlohmann::json;

constexpr const char* kManaged = "com.swarmd.managed";
constexpr const char* kSwarm = "com.swarmd.swarm";
constexpr const char* kNode = "com.swarmd.node";
constexpr const char* kTask = "com.swarmd.task";
constexpr const char* kService = "com.swarmd.service";
constexpr const char* kServiceName = "com.swarmd.service.name";
constexpr const char* kSlot = "com.swarmd.slot";
constexpr const char* kRevision = "com.swarmd.revision";
constexpr const char* kPorts = "com.swarmd.ports";
// An engine refuses less than a millisecond between checks, except for zero, its default.
constexpr Duration kMinHealthTime = milliseconds(1);
// The exit code of what SIGKILL ended.
constexpr int32_t kKilled = 137;

// "80/tcp,53/udp".
std::string format_ports(const std::vector<TargetPort>& ports) {
  std::string text;
  for (const TargetPort& port : ports) {
    text += (text.empty() ? "" : ",") + std::to_string(port.target) +
            (port.protocol == model::PortProtocol::tcp ? "/tcp" : "/udp");
  }
  return text;
}

std::vector<TargetPort> parse_ports(std::string_view text) {
  std::vector<TargetPort> ports;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    ports.push_back(
        {.target = to_number<uint16_t>(one),
         .protocol = one.ends_with("/udp") ? model::PortProtocol::udp : model::PortProtocol::tcp});
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return ports;
}

json labels_json(const agent::TaskLabels& labels, const model::TaskTemplate& spec) {
  json object = json::object();
  for (const auto& [name, value] : *spec.container.labels) {
    object[name] = value;
  }
  object[kManaged] = "true";
  object[kSwarm] = labels.swarm.value();
  object[kNode] = labels.node.value();
  object[kTask] = labels.task.value();
  object[kService] = labels.service.value();
  object[kServiceName] = labels.service_name;
  object[kSlot] = std::to_string(labels.slot);
  object[kRevision] = std::to_string(labels.revision);
  object[kPorts] = format_ports(model::target_ports(spec.ports));
  return object;
}

std::optional<agent::TaskLabels> parse_labels(const json& object) {
  if (text_field(object, kManaged).empty()) {
    return std::nullopt;
  }
  agent::TaskLabels labels;
  labels.swarm = model::SwarmId(text_field(object, kSwarm));
  labels.node = model::NodeId(text_field(object, kNode));
  labels.task = model::TaskId(text_field(object, kTask));
  labels.service = model::ServiceId(text_field(object, kService));
  labels.service_name = text_field(object, kServiceName);
  labels.slot = to_number<model::Slot>(text_field(object, kSlot));
  labels.revision = to_number<model::RevisionNumber>(text_field(object, kRevision));
  return labels;
}

json mounts_json(const std::vector<model::Mount>& mounts) {
  json list = json::array();
  for (const model::Mount& mount : mounts) {
    json object = {{"Target", mount.target}, {"ReadOnly", mount.read_only}};
    switch (mount.type) {
      case model::MountType::bind:
        object["Type"] = "bind";
        break;
      case model::MountType::volume:
        object["Type"] = "volume";
        break;
      case model::MountType::tmpfs:
        object["Type"] = "tmpfs";
        break;
    }
    if (!mount.source.empty()) {
      object["Source"] = mount.source;
    }
    list.push_back(std::move(object));
  }
  return list;
}

int64_t health_time(Duration time) {
  return time <= Duration::zero() ? 0 : std::max(time, kMinHealthTime).count();
}

Result<json> health_json(const model::HealthCheck& health) {
  const std::string kind = health.test.empty() ? "" : health.test.front();
  if (!kind.empty() && kind != "NONE" && kind != "CMD" && kind != "CMD-SHELL") {
    return absl::FailedPreconditionError("Docker has no health check of kind '" + kind +
                                         "': use CMD, CMD-SHELL or NONE");
  }
  return json{{"Test", health.test},
              {"Interval", health_time(health.interval)},
              {"Timeout", health_time(health.timeout)},
              {"StartPeriod", health_time(health.start_period)},
              {"Retries", health.retries}};
}

json host_json(const model::TaskTemplate& spec) {
  json host = {{"RestartPolicy", {{"Name", "no"}}},  // the swarm restarts
               {"Mounts", mounts_json(spec.container.mounts)},
               {"ReadonlyRootfs", spec.container.read_only}};
  if (spec.container.init) {
    host["Init"] = true;
  }
  const auto set = [&host](const char* name, int64_t value) {
    if (value > 0) {
      host[name] = value;
    }
  };
  set("Memory", spec.resources->limits.memory_bytes);
  set("MemoryReservation", spec.resources->reservations.memory_bytes);
  set("NanoCpus", spec.resources->limits.nano_cpus);
  set("PidsLimit", spec.resources->pids_limit);
  return host;
}

void read_health(const json& health, ContainerState& container) {
  const std::string status = text_field(health, "Status");
  using Health = ContainerState::Health;
  container.health = status == "healthy"     ? Health::healthy
                     : status == "unhealthy" ? Health::unhealthy
                     : status == "starting"  ? Health::starting
                                             : Health::none;
  for (const json& check : field(health, "Log")) {
    const int64_t code = number_field(check, "ExitCode");
    if (code != 0) {
      container.health_output = describe_failure(code, text_field(check, "Output"));
    }
  }
}

// The command of a health check as the engine would run it; empty for none.
std::vector<std::string> read_command(const json& config) {
  std::vector<std::string> command;
  const json& test = field(field(config, "Healthcheck"), "Test");
  for (const json& word : test) {
    command.push_back(word.is_string() ? word.get<std::string>() : "");
  }
  const std::string kind = command.empty() ? "" : command.front();
  if (kind != "CMD" && kind != "CMD-SHELL") {
    return {};
  }
  command.erase(command.begin());
  if (kind == "CMD-SHELL") {
    std::vector<std::string> shell;
    for (const json& word : field(config, "Shell")) {
      shell.push_back(word.is_string() ? word.get<std::string>() : "");
    }
    if (shell.empty()) {
      shell = {"/bin/sh", "-c"};
    }
    command.insert(command.begin(), shell.begin(), shell.end());
  }
  return command;
}

void read_check(const json& config, ContainerState::HealthCommand& check) {
  const json& health = field(config, "Healthcheck");
  check.command = read_command(config);
  const auto take = [&health](const char* name, Duration& value) {
    if (const Duration given(number_field(health, name)); given > Duration::zero()) {
      value = given;
    }
  };
  take("Interval", check.interval);
  take("Timeout", check.timeout);
}

void read_status(const json& state, ContainerState& container) {
  using Status = ContainerState::Status;
  container.raw_status = text_field(state, "Status");
  if (container.raw_status == "created") {
    container.status = Status::created;
  } else if (container.raw_status == "running" || container.raw_status == "paused") {
    container.status = Status::running;
  } else {
    // "restarting" too: this run has ended, and only the swarm begins another.
    container.status = Status::exited;
  }
  container.is_paused = container.raw_status == "paused" || flag_field(state, "Paused");
}

// The engine also says so when only a child was killed and the main process ended as it chose.
std::string read_error(const json& state, int32_t exit_code) {
  if (!flag_field(state, "OOMKilled")) {
    return text_field(state, "Error");
  }
  return exit_code == kKilled ? "out of memory"
                              : "one of its processes was killed for lack of memory";
}

}  // namespace

std::string container_name(const agent::TaskLabels& labels) {
  return labels.service_name + "." + std::to_string(labels.slot) + "." + labels.task.value();
}

Result<std::string> create_body(const agent::TaskLabels& labels, const model::TaskTemplate& spec) {
  const model::ContainerSpec& container = spec.container;
  json env = {"SWARM_TASK_ID=" + labels.task.value(),
              "SWARM_TASK_SLOT=" + std::to_string(labels.slot),
              "SWARM_SERVICE_NAME=" + labels.service_name, "SWARM_NODE_ID=" + labels.node.value()};
  for (const std::string& variable : container.env) {
    env.push_back(variable);
  }
  json body = {{"Image", container.image},
               {"Env", std::move(env)},
               {"Labels", labels_json(labels, spec)},
               {"HostConfig", host_json(spec)}};
  // Absent means the image's own.
  const auto set = [&body](const char* name, const auto& value) {
    if (!value.empty()) {
      body[name] = value;
    }
  };
  set("Entrypoint", container.overrides->entrypoint);
  set("Cmd", container.args);
  set("WorkingDir", container.overrides->workdir);
  set("User", container.overrides->user);
  set("Hostname", container.overrides->hostname);
  set("StopSignal", container.overrides->stop_signal);
  if (container.health) {
    SWARM_ASSIGN_OR_RETURN(body["Healthcheck"], health_json(*container.health));
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<agent::TaskAddress> ContainerState::addresses() const {
  std::vector<agent::TaskAddress> addresses;
  addresses.reserve(ports.size());
  for (const TargetPort& port : ports) {
    addresses.push_back({port.target, address + ":" + std::to_string(port.target)});
  }
  return addresses;
}

std::vector<agent::TaskAddress> ContainerState::tcp_addresses() const {
  std::vector<agent::TaskAddress> addresses;
  for (const TargetPort& port : ports) {
    if (port.protocol == model::PortProtocol::tcp) {
      addresses.push_back({port.target, address + ":" + std::to_string(port.target)});
    }
  }
  return addresses;
}

std::string describe_failure(int64_t exit_code, std::string_view output) {
  const std::string told = tell_output(output);
  if (exit_code < 0) {
    return told.empty() ? "it took too long" : told;
  }
  const std::string code = "exit code " + std::to_string(exit_code);
  return told.empty() ? code : code + ": " + told;
}

Result<ContainerState> parse_container(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  const json& state = field(object, "State");
  ContainerState container;
  container.id = text_field(object, "Id");
  if (container.id.empty() || !state.is_object()) {
    return absl::InternalError("the engine's answer about a container cannot be read");
  }
  const json& labels = field(field(object, "Config"), "Labels");
  container.labels = parse_labels(labels);
  container.ports = parse_ports(text_field(labels, kPorts));
  read_status(state, container);
  container.started_at = text_field(state, "StartedAt");
  container.exit_code = static_cast<int32_t>(number_field(state, "ExitCode"));
  container.error = read_error(state, container.exit_code);
  container.stop_signal = text_field(field(object, "Config"), "StopSignal");
  container.restart_policy =
      text_field(field(field(object, "HostConfig"), "RestartPolicy"), "Name");
  read_check(field(object, "Config"), container.health_command);
  container.address = private_address(field(object, "NetworkSettings"));
  read_health(field(state, "Health"), container);
  return container;
}

std::vector<std::string> owner_labels(const model::SwarmId& swarm, const model::NodeId& node) {
  return {std::string(kSwarm) + "=" + swarm.value(), std::string(kNode) + "=" + node.value()};
}

}  // namespace swarm::runtime
