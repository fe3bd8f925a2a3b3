#include "runtime/docker/container_json.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "runtime/docker/json_fields.h"

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
// What a failed health check printed is for a person to read.
constexpr size_t kMaxHealthOutput = 200;

template <class Number>
Number to_number(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

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
  object[kPorts] = format_ports(target_ports(spec));
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

// The engine's default network first; a container of ours has one network only.
std::string private_address(const json& network) {
  std::string address = text_field(network, "IPAddress");
  if (!address.empty()) {
    return address;
  }
  for (const auto& [name, one] : field(network, "Networks").items()) {
    address = text_field(one, "IPAddress");
    if (!address.empty()) {
      return address;
    }
  }
  return "";
}

void read_health(const json& health, ContainerState& container) {
  const std::string status = text_field(health, "Status");
  using Health = ContainerState::Health;
  container.health = status == "healthy"     ? Health::healthy
                     : status == "unhealthy" ? Health::unhealthy
                     : status == "starting"  ? Health::starting
                                             : Health::none;
  for (const json& check : field(health, "Log")) {
    if (number_field(check, "ExitCode") != 0) {
      container.health_output = text_field(check, "Output").substr(0, kMaxHealthOutput);
    }
  }
}

ContainerState::Status parse_status(const std::string& status) {
  if (status == "created") {
    return ContainerState::Status::created;
  }
  const bool is_up = status == "running" || status == "paused" || status == "restarting";
  return is_up ? ContainerState::Status::running : ContainerState::Status::exited;
}

}  // namespace

std::string container_name(const agent::TaskLabels& labels) {
  return labels.service_name + "." + std::to_string(labels.slot) + "." + labels.task.value();
}

std::vector<TargetPort> target_ports(const model::TaskTemplate& spec) {
  std::set<TargetPort> ports;
  for (const model::PublishedPort& port : spec.ports) {
    ports.insert({.target = port.target, .protocol = port.protocol});
  }
  return {ports.begin(), ports.end()};
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

std::vector<std::string> ContainerState::tcp_addresses() const {
  std::vector<std::string> addresses;
  for (const TargetPort& port : ports) {
    if (port.protocol == model::PortProtocol::tcp) {
      addresses.push_back(address + ":" + std::to_string(port.target));
    }
  }
  return addresses;
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
  container.status = parse_status(text_field(state, "Status"));
  container.exit_code = static_cast<int32_t>(number_field(state, "ExitCode"));
  container.error = flag_field(state, "OOMKilled") ? "out of memory" : text_field(state, "Error");
  container.address = private_address(field(object, "NetworkSettings"));
  read_health(field(state, "Health"), container);
  return container;
}

std::vector<std::string> owner_labels(const model::SwarmId& swarm, const model::NodeId& node) {
  return {std::string(kSwarm) + "=" + swarm.value(), std::string(kNode) + "=" + node.value()};
}

}  // namespace swarm::runtime
