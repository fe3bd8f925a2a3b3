#include "cli/spec_flags.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "cli/flags.h"
#include "cli/spec_text.h"
#include "model/validate.h"

namespace swarm::cli {

namespace {

using model::ContainerOverrides;
using model::ContainerSpec;
using model::HealthCheck;
using model::ServiceSpec;
using model::UpdatePolicy;

// Declares flags whose value replaces one field of the spec.
class FieldFlags {
 public:
  FieldFlags(CLI::App& app, SpecEdits& edits) : app_(app), edits_(edits) {}

  template <class T>
  void value(const std::string& name, std::string_view type, const std::string& help,
             std::function<Result<T>(std::string_view)> parse,
             std::function<void(ServiceSpec&, T)> set) {
    add_value<T>(app_, name, type, help, std::move(parse),
                 [&edits = edits_, set = std::move(set)](T value) {
                   edits.add([set, value = std::move(value)](ServiceSpec& spec) {
                     set(spec, value);
                     return absl::OkStatus();
                   });
                 });
  }

  template <class T>
  void choice(const std::string& name, std::string_view words, const std::string& help,
              std::optional<T> (*parse)(std::string_view),
              std::function<void(ServiceSpec&, T)> set) {
    add_choice<T>(app_, name, words, help, parse, [&edits = edits_, set = std::move(set)](T value) {
      edits.add([set, value](ServiceSpec& spec) {
        set(spec, value);
        return absl::OkStatus();
      });
    });
  }

  void text(const std::string& name, std::string_view type, const std::string& help,
            std::string ContainerOverrides::* field) {
    value<std::string>(
        name, type, help, [](std::string_view text) { return std::string(text); },
        [field](ServiceSpec& spec, const std::string& value) {
          spec.task.container.overrides.edit().*field = value;
        });
  }

  void count(const std::string& name, const std::string& help, int64_t max,
             std::function<void(ServiceSpec&, int64_t)> set) {
    value<int64_t>(
        name, "N", help,
        [max](std::string_view text) { return parse_integer(text, 0, max, "number"); },
        std::move(set));
  }

  void duration(const std::string& name, const std::string& help,
                std::function<void(ServiceSpec&, Duration)> set) {
    value<Duration>(name, "DURATION", help, &parse_positive_duration, std::move(set));
  }

  void toggle(const std::string& name, const std::string& help, bool ContainerSpec::* field) {
    add_switch(app_, name, help, [&edits = edits_, field](bool is_set) {
      edits.add([field, is_set](ServiceSpec& spec) {
        spec.task.container.*field = is_set;
        return absl::OkStatus();
      });
    });
  }

 private:
  CLI::App& app_;
  SpecEdits& edits_;
};

constexpr int64_t kAnyCount = int64_t{1} << 62;

Result<double> parse_ratio(std::string_view text) {
  // As parts of a billion: the parser is exact and refuses signs, exponents and trailing text.
  const Result<int64_t> billionths = parse_nano_cpus(text);
  if (!billionths.ok() || *billionths > 1'000'000'000) {
    return absl::InvalidArgumentError("invalid ratio \"" + std::string(text) +
                                      "\": write a number from 0 to 1, like 0.25");
  }
  return static_cast<double>(*billionths) / 1e9;
}

void add_container_flags(FieldFlags& flags) {
  flags.text("-w,--workdir", "PATH", "Working directory inside the container",
             &ContainerOverrides::workdir);
  flags.text("-u,--user", "USER[:GROUP]", "Who the process runs as", &ContainerOverrides::user);
  flags.text("--hostname", "NAME", "Hostname of the container", &ContainerOverrides::hostname);
  flags.text("--stop-signal", "SIGNAL", "Signal that asks the container to stop",
             &ContainerOverrides::stop_signal);
  flags.duration(
      "--stop-grace-period", "Between the stop signal and killing (default 10s)",
      [](ServiceSpec& spec, Duration value) { spec.task.container.stop_grace_period = value; });
  flags.duration("--drain-timeout",
                 "How long open connections may delay the stop signal (default 30s)",
                 [](ServiceSpec& spec, Duration value) { spec.task.drain_timeout = value; });
  flags.toggle("--read-only", "Mount the root file system read-only", &ContainerSpec::read_only);
  flags.toggle("--init", "Run an init process that reaps children", &ContainerSpec::init);
}

// An empty value takes back what an earlier command set. Where there is nothing to take back,
// something else was meant.
Status nothing_to_clear(std::string_view flag, std::string_view cure) {
  return absl::InvalidArgumentError(std::string(flag) +
                                    " \"\" has nothing to clear: " + std::string(cure));
}

constexpr std::string_view kEntrypointCure =
    "the image's entrypoint is in use; to run something else, name it with --entrypoint COMMAND";
constexpr std::string_view kHealthCure =
    "the image's health check is in use; to switch it off, use --no-healthcheck";

void add_entrypoint_flag(CLI::App& app, SpecEdits& edits, SpecCommand command) {
  add_value<std::vector<std::string>>(
      app, "--entrypoint", "COMMAND",
      command == SpecCommand::create ? "Replaces the entrypoint of the image"
                                     : "Replaces the entrypoint of the image; empty: the image's",
      &split_shell_words, [&edits](std::vector<std::string> words) {
        edits.add([words = std::move(words)](ServiceSpec& spec) -> Status {
          if (words.empty() && spec.task.container.overrides->entrypoint.empty()) {
            return nothing_to_clear("--entrypoint", kEntrypointCure);
          }
          spec.task.container.overrides.edit().entrypoint = words;
          return absl::OkStatus();
        });
      });
}

void add_resource_flags(FieldFlags& flags) {
  flags.value<int64_t>("--limit-cpu", "CPUS", "At most so many CPUs, like 0.5", &parse_nano_cpus,
                       [](ServiceSpec& spec, int64_t value) {
                         spec.task.resources.edit().limits.nano_cpus = value;
                       });
  flags.value<int64_t>("--limit-memory", "BYTES", "At most so much memory, like 512m", &parse_bytes,
                       [](ServiceSpec& spec, int64_t value) {
                         spec.task.resources.edit().limits.memory_bytes = value;
                       });
  flags.count(
      "--limit-pids", "At most so many processes; 0: no limit", kAnyCount,
      [](ServiceSpec& spec, int64_t value) { spec.task.resources.edit().pids_limit = value; });
  flags.value<int64_t>("--reserve-cpu", "CPUS", "Keep so many CPUs free for each task",
                       &parse_nano_cpus, [](ServiceSpec& spec, int64_t value) {
                         spec.task.resources.edit().reservations.nano_cpus = value;
                       });
  flags.value<int64_t>("--reserve-memory", "BYTES", "Keep so much memory free for each task",
                       &parse_bytes, [](ServiceSpec& spec, int64_t value) {
                         spec.task.resources.edit().reservations.memory_bytes = value;
                       });
}

void add_restart_flags(FieldFlags& flags) {
  flags.choice<model::RestartCondition>(
      "--restart-condition", "none|on-failure|any", "When to restart (default any)",
      &model::parse_restart_condition, [](ServiceSpec& spec, model::RestartCondition value) {
        spec.task.restart.edit().condition = value;
      });
  flags.duration("--restart-delay", "Before the first restart; doubles (default 5s)",
                 [](ServiceSpec& spec, Duration value) { spec.task.restart.edit().delay = value; });
  flags.count("--restart-max-attempts", "Restarts before giving up; 0: no limit", kAnyCount,
              [](ServiceSpec& spec, int64_t value) {
                spec.task.restart.edit().max_attempts = static_cast<uint64_t>(value);
              });
  flags.duration(
      "--restart-window", "Time in which restarts count; 0: for ever",
      [](ServiceSpec& spec, Duration value) { spec.task.restart.edit().window = value; });
}

std::optional<std::optional<model::UpdateOrder>> parse_order(std::string_view text) {
  if (text == "auto") {
    return std::optional<model::UpdateOrder>();
  }
  const std::optional<model::UpdateOrder> order = model::parse_update_order(text);
  if (!order) {
    return std::nullopt;
  }
  return std::optional<std::optional<model::UpdateOrder>>(std::in_place, order);
}

// The flags of an update policy, for "update" or "rollback".
class PolicyFlags {
 public:
  PolicyFlags(FieldFlags& flags, std::string which, Boxed<UpdatePolicy> ServiceSpec::* policy)
      : flags_(flags), prefix_("--" + std::move(which) + "-"), policy_(policy) {}

  void add(bool may_roll_back) {
    flags_.count(prefix_ + "parallelism", "Slots in flight; 0: all (default 1)", kAnyCount,
                 [policy = policy_](ServiceSpec& spec, int64_t value) {
                   (spec.*policy).edit().parallelism = static_cast<uint64_t>(value);
                 });
    duration("delay", "After a slot runs, before the next (default 0s)", &UpdatePolicy::delay);
    duration("monitor", "How long a failure is blamed on it (default 5s)", &UpdatePolicy::monitor);
    duration("min-ready", "Run of a task without port or check that counts (default 1s)",
             &UpdatePolicy::min_ready);
    flags_.choice<model::FailureAction>(
        prefix_ + "failure-action", may_roll_back ? "pause|continue|rollback" : "pause|continue",
        "What to do when it fails (default pause)", &model::parse_failure_action,
        setter(&UpdatePolicy::failure_action));
    flags_.value<double>(prefix_ + "max-failure-ratio", "RATIO",
                         "Tolerated failures, from 0 to 1 (default 0)", &parse_ratio,
                         setter(&UpdatePolicy::max_failure_ratio));
    flags_.choice<std::optional<model::UpdateOrder>>(
        prefix_ + "order", "auto|start-first|stop-first",
        "Which task of a slot goes first (default auto)", &parse_order,
        setter(&UpdatePolicy::order));
    duration("progress-deadline", "Time for a new task to run; 0s: no limit (default 10m)",
             &UpdatePolicy::progress_deadline);
  }

 private:
  template <class T>
  std::function<void(ServiceSpec&, T)> setter(T UpdatePolicy::* field) {
    return [policy = policy_, field](ServiceSpec& spec, T value) {
      (spec.*policy).edit().*field = value;
    };
  }
  void duration(const std::string& name, const std::string& help, Duration UpdatePolicy::* field) {
    flags_.duration(prefix_ + name, help, setter(field));
  }

  FieldFlags& flags_;
  const std::string prefix_;
  Boxed<UpdatePolicy> ServiceSpec::* const policy_;
};

// The check a --health flag merges into; a switched-off one starts anew.
HealthCheck& health_of(ServiceSpec& spec) {
  Boxed<HealthCheck>& health = spec.task.container.health;
  if (health->test == std::vector<std::string>{"NONE"}) {
    health.reset();
  }
  return health.edit();
}

Status set_health_command(ServiceSpec& spec, const std::string& command) {
  if (command.empty() && spec.task.container.health->test.empty()) {
    return nothing_to_clear("--health-cmd", kHealthCure);
  }
  health_of(spec).test =
      command.empty() ? std::vector<std::string>{} : std::vector<std::string>{"CMD-SHELL", command};
  return absl::OkStatus();
}

void switch_health_off(CLI::App& app, SpecEdits& edits, const std::string& flag) {
  for (const std::string& name : flags_given(app)) {
    if (name.starts_with("--health-") && name != flag) {
      throw_usage_error(flag, "cannot be used together with " + name);
    }
  }
  edits.add([](ServiceSpec& spec) {
    spec.task.container.health = HealthCheck{.test = {"NONE"}};
    return absl::OkStatus();
  });
}

void add_health_flags(CLI::App& app, FieldFlags& flags, SpecEdits& edits) {
  add_text(app, "--health-cmd", "COMMAND",
           "Shell command that tells whether the container works; NONE: no check",
           [&app, &edits](const std::string& command) {
             if (command == "NONE") {
               switch_health_off(app, edits, "--health-cmd");
               return;
             }
             edits.add([command](ServiceSpec& spec) { return set_health_command(spec, command); });
           });
  const auto duration = [&flags](const std::string& name, const std::string& help,
                                 Duration HealthCheck::* field) {
    flags.duration(name, help,
                   [field](ServiceSpec& spec, Duration value) { health_of(spec).*field = value; });
  };
  duration("--health-interval", "Between two checks (default 30s)", &HealthCheck::interval);
  duration("--health-timeout", "A check that takes longer failed (default 30s)",
           &HealthCheck::timeout);
  duration("--health-start-period", "Failures do not count so long (default 0s)",
           &HealthCheck::start_period);
  flags.count("--health-retries", "Failures in a row until unhealthy (default 3)", 1'000'000,
              [](ServiceSpec& spec, int64_t value) {
                health_of(spec).retries = static_cast<int32_t>(value);
              });
  add_switch(app, "--no-healthcheck", "Switch the image's health check off",
             [&app, &edits](bool is_set) {
               if (is_set) {
                 switch_health_off(app, edits, "--no-healthcheck");
                 return;
               }
               edits.add([](ServiceSpec& spec) {
                 health_of(spec);  // in use again, if it was switched off
                 return absl::OkStatus();
               });
             });
}

}  // namespace

Status SpecEdits::apply(model::ServiceSpec& spec) const {
  for (const SpecEdit& edit : edits) {
    SWARM_RETURN_IF_ERROR(edit(spec));
  }
  return absl::OkStatus();
}

void add_spec_flags(CLI::App& app, SpecEdits& edits, SpecCommand command) {
  FieldFlags flags(app, edits);
  start_flag_group(app, "Scale and placement");
  flags.count("--replicas", "How many tasks should run (default 1)",
              static_cast<int64_t>(model::kMaxReplicas), [](ServiceSpec& spec, int64_t value) {
                spec.replicas = static_cast<uint64_t>(value);
              });
  flags.count("--replicas-max-per-node", "At most so many tasks on one node; 0: no limit",
              kAnyCount, [](ServiceSpec& spec, int64_t value) {
                spec.task.placement.edit().max_replicas_per_node = static_cast<uint64_t>(value);
              });
  start_flag_group(app, "Container");
  add_container_flags(flags);
  add_entrypoint_flag(app, edits, command);
  start_flag_group(app, "Health");
  add_health_flags(app, flags, edits);
  start_flag_group(app, "Resources");
  add_resource_flags(flags);
  start_flag_group(app, "Restart");
  add_restart_flags(flags);
  start_flag_group(app, "Update");
  PolicyFlags(flags, "update", &ServiceSpec::update).add(true);
  start_flag_group(app, "Rollback");
  PolicyFlags(flags, "rollback", &ServiceSpec::rollback).add(false);
}

}  // namespace swarm::cli
