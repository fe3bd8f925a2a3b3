#include <iterator>
#include <string>

#include "base/check.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

namespace swarm::model {
namespace {

// One row per value: both directions come from the same line.
template <class Enum>
struct Name {
  Enum value;
  std::string_view text;
};

template <class Enum, size_t N>
std::string_view text_of(const Name<Enum> (&names)[N], Enum value) {
  for (const auto& name : names) {
    if (name.value == value) {
      return name.text;
    }
  }
  check_failed(__FILE__, __LINE__, "every value has a name",
               "saw number " + std::to_string(static_cast<int>(value)));
}

template <class Enum, size_t N>
std::optional<Enum> value_of(const Name<Enum> (&names)[N], std::string_view text) {
  for (const auto& name : names) {
    if (name.text == text) {
      return name.value;
    }
  }
  return std::nullopt;
}

constexpr Name<Role> kRoles[] = {{Role::worker, "worker"}, {Role::manager, "manager"}};
constexpr Name<Availability> kAvailabilities[] = {
    {Availability::active, "active"},
    {Availability::pause, "pause"},
    {Availability::drain, "drain"},
};
constexpr Name<NodeState> kNodeStates[] = {
    {NodeState::unknown, "unknown"},
    {NodeState::ready, "ready"},
    {NodeState::suspect, "suspect"},
    {NodeState::down, "down"},
};
constexpr Name<ConditionKind> kConditionKinds[] = {
    {ConditionKind::engine, "engine"},
    {ConditionKind::mesh, "mesh"},
    {ConditionKind::disk, "disk"},
    {ConditionKind::clock, "clock"},
    {ConditionKind::descriptors, "descriptors"},
    {ConditionKind::identity, "identity"},
};
constexpr Name<TaskState> kTaskStates[] = {
    {TaskState::fresh, "new"},           {TaskState::pending, "pending"},
    {TaskState::assigned, "assigned"},   {TaskState::accepted, "accepted"},
    {TaskState::preparing, "preparing"}, {TaskState::ready, "ready"},
    {TaskState::starting, "starting"},   {TaskState::running, "running"},
    {TaskState::complete, "complete"},   {TaskState::shutdown, "shutdown"},
    {TaskState::failed, "failed"},       {TaskState::rejected, "rejected"},
    {TaskState::remove, "remove"},       {TaskState::orphaned, "orphaned"},
};
constexpr Name<WaitReason> kWaitReasons[] = {
    {WaitReason::none, "none"},
    {WaitReason::no_suitable_node, "no_suitable_node"},
    {WaitReason::restart_delay, "restart_delay"},
    {WaitReason::predecessor, "predecessor"},
    {WaitReason::image, "image"},
    {WaitReason::health, "health"},
    {WaitReason::engine, "engine"},
};
constexpr Name<MountType> kMountTypes[] = {
    {MountType::bind, "bind"},
    {MountType::volume, "volume"},
    {MountType::tmpfs, "tmpfs"},
};
constexpr Name<RestartCondition> kRestartConditions[] = {
    {RestartCondition::none, "none"},
    {RestartCondition::on_failure, "on-failure"},
    {RestartCondition::any, "any"},
};
constexpr Name<PortProtocol> kPortProtocols[] = {
    {PortProtocol::tcp, "tcp"},
    {PortProtocol::udp, "udp"},
};
constexpr Name<PublishMode> kPublishModes[] = {
    {PublishMode::ingress, "ingress"},
    {PublishMode::host, "host"},
};
constexpr Name<FailureAction> kFailureActions[] = {
    {FailureAction::pause, "pause"},
    {FailureAction::continue_on, "continue"},
    {FailureAction::rollback, "rollback"},
};
constexpr Name<UpdateOrder> kUpdateOrders[] = {
    {UpdateOrder::start_first, "start-first"},
    {UpdateOrder::stop_first, "stop-first"},
};
constexpr Name<RolloutState> kRolloutStates[] = {
    {RolloutState::updating, "updating"},
    {RolloutState::paused, "paused"},
    {RolloutState::completed, "completed"},
    {RolloutState::rollback_started, "rollback_started"},
    {RolloutState::rollback_paused, "rollback_paused"},
    {RolloutState::rollback_completed, "rollback_completed"},
};

}  // namespace

std::string_view to_string(Role role) {
  return text_of(kRoles, role);
}
std::string_view to_string(Availability availability) {
  return text_of(kAvailabilities, availability);
}
std::string_view to_string(ConditionKind kind) {
  return text_of(kConditionKinds, kind);
}

const NodeCondition* find_condition(const NodeStatus& status, ConditionKind kind) {
  for (const NodeCondition& condition : status.conditions) {
    if (condition.kind == kind) {
      return &condition;
    }
  }
  return nullptr;
}

std::string_view to_string(NodeState state) {
  return text_of(kNodeStates, state);
}
std::string_view to_string(TaskState state) {
  return text_of(kTaskStates, state);
}
std::string_view to_string(WaitReason reason) {
  return text_of(kWaitReasons, reason);
}
std::string_view to_string(MountType type) {
  return text_of(kMountTypes, type);
}
std::string_view to_string(RestartCondition condition) {
  return text_of(kRestartConditions, condition);
}
std::string_view to_string(PortProtocol protocol) {
  return text_of(kPortProtocols, protocol);
}
std::string_view to_string(PublishMode mode) {
  return text_of(kPublishModes, mode);
}
std::string_view to_string(FailureAction action) {
  return text_of(kFailureActions, action);
}
std::string_view to_string(UpdateOrder order) {
  return text_of(kUpdateOrders, order);
}
std::string_view to_string(RolloutState state) {
  return text_of(kRolloutStates, state);
}

std::optional<Role> parse_role(std::string_view text) {
  return value_of(kRoles, text);
}
std::optional<Availability> parse_availability(std::string_view text) {
  return value_of(kAvailabilities, text);
}
std::optional<TaskState> parse_task_state(std::string_view text) {
  return value_of(kTaskStates, text);
}
std::optional<MountType> parse_mount_type(std::string_view text) {
  return value_of(kMountTypes, text);
}
std::optional<RestartCondition> parse_restart_condition(std::string_view text) {
  return value_of(kRestartConditions, text);
}
std::optional<PortProtocol> parse_port_protocol(std::string_view text) {
  return value_of(kPortProtocols, text);
}
std::optional<PublishMode> parse_publish_mode(std::string_view text) {
  return value_of(kPublishModes, text);
}
std::optional<FailureAction> parse_failure_action(std::string_view text) {
  return value_of(kFailureActions, text);
}
std::optional<UpdateOrder> parse_update_order(std::string_view text) {
  return value_of(kUpdateOrders, text);
}

std::string display_name(const Node& node) {
  return node.description.hostname.empty() ? node.id.value() : node.description.hostname;
}

std::string task_name(std::string_view service_name, const Task& task) {
  return std::string(service_name) + "." + std::to_string(task.slot);
}

}  // namespace swarm::model
