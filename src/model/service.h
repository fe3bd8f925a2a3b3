#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/boxed.h"
#include "base/time.h"
#include "model/ids.h"
#include "model/labels.h"

// What a user declares. Plain values; defaults are the product's defaults. Checks are in
// model/validate.h.
namespace swarm::model {

struct Meta {
  Position version = 0;
  WallTime created_at;
  WallTime updated_at;

  bool operator==(const Meta&) const = default;
};

// How to find out whether a container works. An empty test means the image's own check.
struct HealthCheck {
  // Docker's form: {"NONE"}, {"CMD", arg...} or {"CMD-SHELL", line}. A bundle of the process
  // runtime may also say {"HTTP", path}.
  std::vector<std::string> test;
  Duration interval{};  // zero values mean the runtime's defaults
  Duration timeout{};
  Duration start_period{};
  int32_t retries = 0;

  bool operator==(const HealthCheck&) const = default;
};

enum class MountType { bind, volume, tmpfs };

struct Mount {
  MountType type = MountType::volume;
  std::string source;
  std::string target;
  bool read_only = false;

  bool operator==(const Mount&) const = default;
};

// What few services say of their containers. Empty: as the image or the engine has it.
struct ContainerOverrides {
  std::vector<std::string> entrypoint;
  std::string workdir;
  std::string user;
  std::string hostname;
  std::string stop_signal;

  bool operator==(const ContainerOverrides&) const = default;
};

struct ContainerSpec {
  std::string image;
  std::vector<std::string> args;  // empty: the image's
  std::vector<std::string> env;   // NAME=value, in the user's order, names unique
  Boxed<ContainerOverrides> overrides;
  Boxed<Labels> labels;
  std::vector<Mount> mounts;
  Boxed<HealthCheck> health;
  bool read_only = false;
  bool init = false;
  Duration stop_grace_period = seconds(10);

  bool operator==(const ContainerSpec&) const = default;
};

struct Resources {
  int64_t nano_cpus = 0;
  int64_t memory_bytes = 0;

  bool operator==(const Resources&) const = default;
};

struct ResourceRequirements {
  Resources reservations;
  Resources limits;
  int64_t pids_limit = 0;

  bool operator==(const ResourceRequirements&) const = default;
};

enum class RestartCondition { none, on_failure, any };

struct RestartPolicy {
  RestartCondition condition = RestartCondition::any;
  // Before the first restart; doubles with every restart in a row up to kMaxRestartDelay.
  Duration delay = seconds(5);
  uint64_t max_attempts = 0;  // 0: no limit
  Duration window{};          // 0: attempts count for ever

  bool operator==(const RestartPolicy&) const = default;
};

inline constexpr Duration kMaxRestartDelay = minutes(5);

struct Placement {
  std::vector<std::string> constraints;  // "node.role==manager"
  std::vector<std::string> preferences;  // "node.labels.zone": levels of the spread tree
  uint64_t max_replicas_per_node = 0;    // 0: no limit

  bool operator==(const Placement&) const = default;
};

enum class PortProtocol { tcp, udp };
enum class PublishMode { ingress, host };

struct PublishedPort {
  uint16_t target = 0;
  // 0 in a request: the swarm chooses from 30000-32767. Never 0 in a stored revision.
  uint16_t published = 0;
  PortProtocol protocol = PortProtocol::tcp;
  PublishMode mode = PublishMode::ingress;

  auto operator<=>(const PublishedPort&) const = default;
};

// Everything in a service's spec that affects its tasks. A change of it makes a new revision.
struct TaskTemplate {
  ContainerSpec container;
  Boxed<ResourceRequirements> resources;
  Boxed<RestartPolicy> restart;
  Boxed<Placement> placement;
  std::vector<PublishedPort> ports;
  // How long open connections may delay the stop signal of a draining task.
  Duration drain_timeout = seconds(30);
  // Raised by `service update --force` to replace tasks although nothing else changed.
  uint64_t force_update = 0;

  bool operator==(const TaskTemplate&) const = default;
};

enum class FailureAction { pause, continue_on, rollback };
enum class UpdateOrder { start_first, stop_first };

// How a rollout moves slots.
struct UpdatePolicy {
  uint64_t parallelism = 1;  // slots in flight; 0: all
  Duration delay{};          // after a slot runs, before its place in flight is free
  // A task that ends this soon after it began to run counts as a failure of the rollout. The first
  // slots of a rollout are its trial: they keep their places and their old tasks for so long.
  Duration monitor = seconds(5);
  FailureAction failure_action = FailureAction::pause;
  double max_failure_ratio = 0;
  // Not set: whichever is safe, see model/update_order.h.
  std::optional<UpdateOrder> order;
  // How long a task without a port or a health check must run before its predecessor is retired:
  // that it was started says little.
  Duration min_ready = seconds(1);
  // A slot whose new task does not run within this time counts as failed. 0: no deadline.
  Duration progress_deadline = minutes(10);

  bool operator==(const UpdatePolicy&) const = default;
};

// What of a service's spec does not affect its tasks. It is changed in place.
struct ServiceSettings {
  std::string name;
  Labels labels;
  uint64_t replicas = 1;
  Boxed<UpdatePolicy> update;
  Boxed<UpdatePolicy> rollback;

  bool operator==(const ServiceSettings&) const = default;
};

struct ServiceSpec : ServiceSettings {
  TaskTemplate task;

  bool operator==(const ServiceSpec&) const = default;
};

enum class RolloutState {
  updating,
  paused,
  completed,
  rollback_started,
  rollback_paused,
  rollback_completed,
};

// The three phases of a rollout, whether it goes forward or back.
constexpr bool is_moving(RolloutState state) {
  return state == RolloutState::updating || state == RolloutState::rollback_started;
}
constexpr bool is_paused(RolloutState state) {
  return state == RolloutState::paused || state == RolloutState::rollback_paused;
}
constexpr bool is_final(RolloutState state) {
  return state == RolloutState::completed || state == RolloutState::rollback_completed;
}

// The stored state machine that moves a service's slots from one revision to another. What cannot
// be read from the tasks themselves is here, so that a new leader goes on where the old one
// stopped.
struct Rollout {
  RolloutState state = RolloutState::updating;
  RevisionNumber from = 0;
  RevisionNumber to = 0;
  // Where --rollback went before this rollout began: an automatic rollback restores it.
  RevisionNumber previous = 0;
  // A rollback that the failure action began, not a person.
  bool is_automatic = false;
  WallTime started_at;
  WallTime completed_at;
  std::string message;
  std::string cause;            // the failure that paused it or made it roll back; survives both
  WallTime trial_passed_at;     // when the first slots had run for the monitor window
  uint64_t slots_changed = 0;   // slots this rollout set out to replace: base of the failure ratio
  std::set<Slot> failed_slots;  // each counted once
  WallTime last_slot_ready_at;  // the final monitor window runs from here

  bool operator==(const Rollout&) const = default;
};

// A spec as it is stored: the template is that of revision `revision`.
struct Service {
  ServiceId id;
  Meta meta;
  ServiceSettings settings;
  RevisionNumber revision = 0;           // what tasks should be
  RevisionNumber previous_revision = 0;  // where --rollback goes; 0: nowhere
  RevisionNumber last_revision = 0;      // highest number given out
  // Revisions all slots have run at, the latest last. Only these are rolled back to.
  std::vector<RevisionNumber> converged;
  Boxed<Rollout> rollout;
  // Removed by the user; the record stays until its last task is gone.
  bool is_removed = false;

  bool operator==(const Service&) const = default;
};

struct Revision {
  ServiceId service;
  RevisionNumber number = 0;
  Meta meta;
  TaskTemplate task;

  bool operator==(const Revision&) const = default;
};

// How many revisions of a service are kept besides those in use.
inline constexpr size_t kRevisionHistory = 10;

// The words of flags and tables: "on-failure", "start-first", "rollback_started". Nothing else is
// parsed.
std::string_view to_string(MountType type);
std::string_view to_string(RestartCondition condition);
std::string_view to_string(PortProtocol protocol);
std::string_view to_string(PublishMode mode);
std::string_view to_string(FailureAction action);
std::string_view to_string(UpdateOrder order);
std::string_view to_string(RolloutState state);
std::optional<MountType> parse_mount_type(std::string_view text);
std::optional<RestartCondition> parse_restart_condition(std::string_view text);
std::optional<PortProtocol> parse_port_protocol(std::string_view text);
std::optional<PublishMode> parse_publish_mode(std::string_view text);
std::optional<FailureAction> parse_failure_action(std::string_view text);
std::optional<UpdateOrder> parse_update_order(std::string_view text);

}  // namespace swarm::model
