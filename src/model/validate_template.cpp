#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "model/signals.h"
#include "model/template_text.h"
#include "model/text_check.h"
#include "model/validate.h"

namespace swarm::model {
namespace {

constexpr int64_t kMinNanoCpus = 1'000'000;  // 0.001 CPU: more would be rounded off
// A quota is at least 1 ms of a period of 100 ms: engines start nothing with less.
constexpr int64_t kMinNanoCpuLimit = 10'000'000;
constexpr int64_t kMinMemoryBytes = 6 << 20;  // below it engines refuse
constexpr int64_t kMaxNanoCpus = 1'000'000 * int64_t{1'000'000'000};
constexpr int64_t kMaxMemoryBytes = int64_t{1} << 50;
constexpr int64_t kMaxPids = int64_t{1} << 22;  // the kernel's own bound
constexpr int32_t kMaxHealthRetries = 10'000;

Status check_texts(std::string_view field, const std::vector<std::string>& values) {
  SWARM_RETURN_IF_ERROR(check_count("the list of " + std::string(field) + "s", values.size()));
  for (const std::string& value : values) {
    SWARM_RETURN_IF_ERROR(check_text(field, value));
  }
  return absl::OkStatus();
}

Status check_environment(const std::vector<std::string>& env) {
  SWARM_RETURN_IF_ERROR(check_texts("environment variable", env));
  std::set<std::string_view> names;
  for (std::string_view variable : env) {
    SWARM_RETURN_IF_ERROR(expand_with_samples("environment variable", variable).status());
    const size_t equal = variable.find('=');
    if (equal == 0 || equal == std::string_view::npos) {
      return invalid("environment variable", variable, "has no name",
                     "use NAME=VALUE, e.g. MODE=fast");
    }
    if (!names.insert(variable.substr(0, equal)).second) {
      return invalid("environment variable", variable.substr(0, equal), "is set twice",
                     "set each name once");
    }
  }
  return absl::OkStatus();
}

Status check_signal(std::string_view signal) {
  if (!signal.empty() && !parse_signal(signal)) {
    return invalid("stop signal", signal, "is not a signal", "use a name like SIGTERM or SIGQUIT");
  }
  return absl::OkStatus();
}

// As engines name volumes.
bool is_volume_name(std::string_view name) {
  return name.size() >= 2 && is_alnum(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

Status check_volume_source(std::string_view source) {
  if (source.starts_with('/')) {
    return invalid("volume source", source, "is a path",
                   "give the volume a name, or use type=bind to mount a folder of the node");
  }
  if (!source.empty() && !is_volume_name(source)) {
    return invalid("volume source", source, "is not a volume name",
                   "use at least two letters, digits, \"_\", \".\" or \"-\", and begin with a "
                   "letter or digit");
  }
  return absl::OkStatus();
}

Status check_mount(const Mount& mount, std::set<std::string_view>& targets) {
  SWARM_RETURN_IF_ERROR(check_text("mount source", mount.source));
  SWARM_RETURN_IF_ERROR(check_text("mount target", mount.target));
  SWARM_ASSIGN_OR_RETURN(const std::string source,
                         expand_with_samples("mount source", mount.source));
  SWARM_ASSIGN_OR_RETURN(const std::string target,
                         expand_with_samples("mount target", mount.target));
  if (!target.starts_with('/')) {
    return invalid("mount target", mount.target, "is not absolute",
                   "use a path that begins with /");
  }
  if (mount.target.find_first_not_of("/.") == std::string::npos) {
    return invalid("mount target", mount.target, "is the container's root",
                   "use a folder below it, e.g. /data");
  }
  if (!targets.insert(mount.target).second) {
    return invalid("mount target", mount.target, "is used twice", "give each mount its own target");
  }
  if (mount.type == MountType::bind && !source.starts_with('/')) {
    return invalid("mount source", mount.source, "is not absolute",
                   "a bind mount needs a source path that begins with /");
  }
  if (mount.type == MountType::tmpfs && !mount.source.empty()) {
    return invalid("mount source", mount.source, "is set for a tmpfs",
                   "leave the source of a tmpfs mount out");
  }
  return mount.type == MountType::volume ? check_volume_source(mount.source) : absl::OkStatus();
}

Status check_mounts(const std::vector<Mount>& mounts) {
  SWARM_RETURN_IF_ERROR(check_count("the list of mounts", mounts.size()));
  std::set<std::string_view> targets;
  for (const Mount& mount : mounts) {
    SWARM_RETURN_IF_ERROR(check_mount(mount, targets));
  }
  return absl::OkStatus();
}

Status check_health_duration(std::string_view field, Duration value) {
  SWARM_RETURN_IF_ERROR(check_duration(field, value));
  if (value != Duration::zero() && value < milliseconds(1)) {
    return invalid(field, format_duration(value), "is too short",
                   "use 0s (the default) or at least 1ms");
  }
  return absl::OkStatus();
}

Status check_health(const HealthCheck& health) {
  SWARM_RETURN_IF_ERROR(check_texts("health command argument", health.test));
  if (!health.test.empty()) {
    const std::string& kind = health.test.front();
    const size_t size = health.test.size();
    const bool is_right = (kind == "NONE" && size == 1) || (kind == "CMD" && size >= 2) ||
                          ((kind == "CMD-SHELL" || kind == "HTTP") && size == 2);
    if (!is_right) {
      return invalid("health check", kind, "has the wrong form",
                     "use NONE, CMD with arguments, CMD-SHELL with one line, or HTTP with a path");
    }
    if (kind == "HTTP" && !health.test[1].starts_with('/')) {
      return invalid("health check path", health.test[1], "is not absolute",
                     "use a path that begins with /");
    }
  }
  SWARM_RETURN_IF_ERROR(check_health_duration("health interval", health.interval));
  SWARM_RETURN_IF_ERROR(check_health_duration("health timeout", health.timeout));
  SWARM_RETURN_IF_ERROR(check_health_duration("health start period", health.start_period));
  if (health.retries < 0 || health.retries > kMaxHealthRetries) {
    return invalid("health retries", std::to_string(health.retries), "is out of range",
                   "use 0 (the default) to " + std::to_string(kMaxHealthRetries));
  }
  return absl::OkStatus();
}

Status check_hostname(std::string_view text) {
  SWARM_ASSIGN_OR_RETURN(const std::string hostname, expand_with_samples("hostname", text));
  const auto is_allowed = [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; };
  const bool is_right =
      hostname.empty() ||
      (hostname.size() <= 63 && is_alnum(hostname.front()) && is_alnum(hostname.back()) &&
       std::all_of(hostname.begin(), hostname.end(), is_allowed));
  return is_right ? absl::OkStatus()
                  : invalid("hostname", text, "is not a host name",
                            "use at most 63 letters, digits, \"-\" and \".\"");
}

Status check_container(const ContainerSpec& container) {
  SWARM_RETURN_IF_ERROR(validate_image(container.image));
  SWARM_RETURN_IF_ERROR(check_texts("entrypoint argument", container.overrides->entrypoint));
  SWARM_RETURN_IF_ERROR(check_texts("argument", container.args));
  SWARM_RETURN_IF_ERROR(check_environment(container.env));
  SWARM_RETURN_IF_ERROR(check_text("working directory", container.overrides->workdir));
  SWARM_RETURN_IF_ERROR(check_text("user", container.overrides->user));
  SWARM_RETURN_IF_ERROR(check_hostname(container.overrides->hostname));
  SWARM_RETURN_IF_ERROR(validate_labels(*container.labels));
  SWARM_RETURN_IF_ERROR(check_mounts(container.mounts));
  if (container.health) {
    SWARM_RETURN_IF_ERROR(check_health(*container.health));
  }
  SWARM_RETURN_IF_ERROR(check_signal(container.overrides->stop_signal));
  return check_duration("stop grace period", container.stop_grace_period);
}

Status check_resources(const Resources& resources, const std::string& which) {
  const int64_t cpus = resources.nano_cpus;
  if (cpus < 0 || (cpus > 0 && cpus < kMinNanoCpus) || cpus > kMaxNanoCpus) {
    return invalid(which + " of CPUs", format_nano_cpus(cpus), "is out of range",
                   "use 0 (none) or at least 0.001");
  }
  const int64_t memory = resources.memory_bytes;
  if (memory < 0 || (memory > 0 && memory < kMinMemoryBytes) || memory > kMaxMemoryBytes) {
    return invalid(which + " of memory", std::to_string(memory) + " bytes", "is out of range",
                   "use 0 (none) or at least 6MiB");
  }
  return absl::OkStatus();
}

Status check_requirements(const ResourceRequirements& requirements) {
  SWARM_RETURN_IF_ERROR(check_resources(requirements.reservations, "reservation"));
  SWARM_RETURN_IF_ERROR(check_resources(requirements.limits, "limit"));
  const int64_t cpus = requirements.limits.nano_cpus;
  if (cpus > 0 && cpus < kMinNanoCpuLimit) {
    return invalid("limit of CPUs", format_nano_cpus(cpus), "is out of range",
                   "use 0 (none) or at least " + format_nano_cpus(kMinNanoCpuLimit));
  }
  const int64_t limit = requirements.limits.memory_bytes;
  const int64_t reserved = requirements.reservations.memory_bytes;
  if (limit > 0 && reserved > limit) {
    return invalid("reservation of memory", std::to_string(reserved) + " bytes",
                   "is more than the limit", "reserve at most " + format_bytes(limit));
  }
  if (requirements.pids_limit < 0 || requirements.pids_limit > kMaxPids) {
    return invalid("limit of processes", std::to_string(requirements.pids_limit), "is out of range",
                   "use 0 (none) to " + std::to_string(kMaxPids));
  }
  return absl::OkStatus();
}

Status check_restart(const RestartPolicy& restart) {
  SWARM_RETURN_IF_ERROR(check_duration("restart delay", restart.delay));
  return check_duration("restart window", restart.window);
}

Status check_placement(const Placement& placement) {
  SWARM_RETURN_IF_ERROR(check_texts("constraint", placement.constraints));
  for (const std::string& constraint : placement.constraints) {
    SWARM_RETURN_IF_ERROR(parse_constraint(constraint).status());
  }
  SWARM_RETURN_IF_ERROR(check_texts("placement preference", placement.preferences));
  for (const std::string& preference : placement.preferences) {
    SWARM_ASSIGN_OR_RETURN(std::string descriptor, parse_preference(preference));
    if (descriptor != preference) {
      return invalid("placement preference", preference, "is not in the form it is stored in",
                     "store " + descriptor);
    }
  }
  if (placement.max_replicas_per_node > kMaxReplicas) {
    return invalid("max replicas per node", std::to_string(placement.max_replicas_per_node),
                   "is too large", "use 0 (no limit) to " + std::to_string(kMaxReplicas));
  }
  return absl::OkStatus();
}

Status check_ports(const std::vector<PublishedPort>& ports) {
  SWARM_RETURN_IF_ERROR(check_count("the list of published ports", ports.size()));
  std::set<std::pair<uint16_t, PortProtocol>> published;
  for (const PublishedPort& port : ports) {
    if (port.target == 0) {
      return invalid("published port", format_port(port), "has no target port",
                     "use a target from 1 to 65535, e.g. 8080:80");
    }
    if (port.published != 0 && !published.emplace(port.published, port.protocol).second) {
      return invalid("published port",
                     std::to_string(port.published) + "/" + std::string(to_string(port.protocol)),
                     "is published twice", "publish each port once");
    }
  }
  return absl::OkStatus();
}

}  // namespace

Status validate_template(const TaskTemplate& task) {
  SWARM_RETURN_IF_ERROR(check_requirements(*task.resources));
  SWARM_RETURN_IF_ERROR(check_restart(*task.restart));
  SWARM_RETURN_IF_ERROR(check_placement(*task.placement));
  SWARM_RETURN_IF_ERROR(check_container(task.container));
  SWARM_RETURN_IF_ERROR(check_ports(task.ports));
  return check_duration("drain timeout", task.drain_timeout);
}

}  // namespace swarm::model
