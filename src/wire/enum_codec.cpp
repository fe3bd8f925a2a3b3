#include "wire/enum_codec.h"

#include <iterator>
#include <string>
#include <utility>

#include "base/check.h"
#include "proto/objects.pb.h"

namespace swarm::wire {
namespace {

// One row per value, so that both directions come from the same line.
template <class Model, class Wire>
struct Row {
  Model model;
  Wire wire;
};

constexpr Row<model::MountType, v1::MountType> kMountTypes[] = {
    {model::MountType::bind, v1::MOUNT_TYPE_BIND},
    {model::MountType::volume, v1::MOUNT_TYPE_VOLUME},
    {model::MountType::tmpfs, v1::MOUNT_TYPE_TMPFS},
};
constexpr Row<model::RestartCondition, v1::RestartCondition> kRestartConditions[] = {
    {model::RestartCondition::none, v1::RESTART_CONDITION_NONE},
    {model::RestartCondition::on_failure, v1::RESTART_CONDITION_ON_FAILURE},
    {model::RestartCondition::any, v1::RESTART_CONDITION_ANY},
};
constexpr Row<model::PortProtocol, v1::PortProtocol> kPortProtocols[] = {
    {model::PortProtocol::tcp, v1::PORT_PROTOCOL_TCP},
    {model::PortProtocol::udp, v1::PORT_PROTOCOL_UDP},
};
constexpr Row<model::PublishMode, v1::PublishMode> kPublishModes[] = {
    {model::PublishMode::ingress, v1::PUBLISH_MODE_INGRESS},
    {model::PublishMode::host, v1::PUBLISH_MODE_HOST},
};
constexpr Row<model::FailureAction, v1::FailureAction> kFailureActions[] = {
    {model::FailureAction::pause, v1::FAILURE_ACTION_PAUSE},
    {model::FailureAction::continue_on, v1::FAILURE_ACTION_CONTINUE},
    {model::FailureAction::rollback, v1::FAILURE_ACTION_ROLLBACK},
};
constexpr Row<model::UpdateOrder, v1::UpdateOrder> kUpdateOrders[] = {
    {model::UpdateOrder::start_first, v1::UPDATE_ORDER_START_FIRST},
    {model::UpdateOrder::stop_first, v1::UPDATE_ORDER_STOP_FIRST},
};
constexpr Row<model::RolloutState, v1::RolloutState> kRolloutStates[] = {
    {model::RolloutState::updating, v1::ROLLOUT_STATE_UPDATING},
    {model::RolloutState::paused, v1::ROLLOUT_STATE_PAUSED},
    {model::RolloutState::completed, v1::ROLLOUT_STATE_COMPLETED},
    {model::RolloutState::rollback_started, v1::ROLLOUT_STATE_ROLLBACK_STARTED},
    {model::RolloutState::rollback_paused, v1::ROLLOUT_STATE_ROLLBACK_PAUSED},
    {model::RolloutState::rollback_completed, v1::ROLLOUT_STATE_ROLLBACK_COMPLETED},
};
constexpr Row<model::Role, v1::Role> kRoles[] = {
    {model::Role::worker, v1::ROLE_WORKER},
    {model::Role::manager, v1::ROLE_MANAGER},
};
constexpr Row<model::Availability, v1::Availability> kAvailabilities[] = {
    {model::Availability::active, v1::AVAILABILITY_ACTIVE},
    {model::Availability::pause, v1::AVAILABILITY_PAUSE},
    {model::Availability::drain, v1::AVAILABILITY_DRAIN},
};
constexpr Row<model::NodeState, v1::NodeState> kNodeStates[] = {
    {model::NodeState::unknown, v1::NODE_STATE_UNKNOWN},
    {model::NodeState::ready, v1::NODE_STATE_READY},
    {model::NodeState::suspect, v1::NODE_STATE_SUSPECT},
    {model::NodeState::down, v1::NODE_STATE_DOWN},
};
constexpr Row<model::ConditionKind, v1::ConditionKind> kConditionKinds[] = {
    {model::ConditionKind::engine, v1::CONDITION_KIND_ENGINE},
    {model::ConditionKind::mesh, v1::CONDITION_KIND_MESH},
    {model::ConditionKind::disk, v1::CONDITION_KIND_DISK},
    {model::ConditionKind::clock, v1::CONDITION_KIND_CLOCK},
    {model::ConditionKind::descriptors, v1::CONDITION_KIND_DESCRIPTORS},
    {model::ConditionKind::identity, v1::CONDITION_KIND_IDENTITY},
};
constexpr Row<model::TaskState, v1::TaskState> kTaskStates[] = {
    {model::TaskState::fresh, v1::TASK_STATE_NEW},
    {model::TaskState::pending, v1::TASK_STATE_PENDING},
    {model::TaskState::assigned, v1::TASK_STATE_ASSIGNED},
    {model::TaskState::accepted, v1::TASK_STATE_ACCEPTED},
    {model::TaskState::preparing, v1::TASK_STATE_PREPARING},
    {model::TaskState::ready, v1::TASK_STATE_READY},
    {model::TaskState::starting, v1::TASK_STATE_STARTING},
    {model::TaskState::running, v1::TASK_STATE_RUNNING},
    {model::TaskState::complete, v1::TASK_STATE_COMPLETE},
    {model::TaskState::shutdown, v1::TASK_STATE_SHUTDOWN},
    {model::TaskState::failed, v1::TASK_STATE_FAILED},
    {model::TaskState::rejected, v1::TASK_STATE_REJECTED},
    {model::TaskState::remove, v1::TASK_STATE_REMOVE},
    {model::TaskState::orphaned, v1::TASK_STATE_ORPHANED},
};
constexpr Row<model::WaitReason, v1::WaitReason> kWaitReasons[] = {
    {model::WaitReason::none, v1::WAIT_REASON_NONE},
    {model::WaitReason::no_suitable_node, v1::WAIT_REASON_NO_SUITABLE_NODE},
    {model::WaitReason::restart_delay, v1::WAIT_REASON_RESTART_DELAY},
    {model::WaitReason::predecessor, v1::WAIT_REASON_PREDECESSOR},
    {model::WaitReason::image, v1::WAIT_REASON_IMAGE},
    {model::WaitReason::health, v1::WAIT_REASON_HEALTH},
    {model::WaitReason::engine, v1::WAIT_REASON_ENGINE},
};
constexpr Row<model::EndpointState, v1::EndpointState> kEndpointStates[] = {
    {model::EndpointState::ready, v1::ENDPOINT_STATE_READY},
    {model::EndpointState::draining, v1::ENDPOINT_STATE_DRAINING},
};

template <class Model, class Wire, size_t N>
Wire wire_of(const Row<Model, Wire> (&rows)[N], Model value, const char* what) {
  for (const auto& row : rows) {
    if (row.model == value) {
      return row.wire;
    }
  }
  check_failed(__FILE__, __LINE__, what,
               "the value has a row, but it is " + std::to_string(static_cast<int>(value)));
}

template <class Model, class Wire, size_t N>
Result<Model> model_of(const Row<Model, Wire> (&rows)[N], Wire value, const char* what) {
  for (const auto& row : rows) {
    if (row.wire == value) {
      return row.model;
    }
  }
  if (static_cast<int>(value) == 0) {
    return absl::InvalidArgumentError(std::string("the ") + what + " is not set");
  }
  return absl::InvalidArgumentError("there is no " + std::string(what) + " number " +
                                    std::to_string(static_cast<int>(value)) +
                                    ": the sender may be of a newer version");
}

}  // namespace

#define SWARM_ENUM_CODEC(Type, rows, what)     \
  v1::Type encode(model::Type value) {         \
    return wire_of(rows, value, what);         \
  }                                            \
  Result<model::Type> decode(v1::Type value) { \
    return model_of(rows, value, what);        \
  }

SWARM_ENUM_CODEC(MountType, kMountTypes, "mount type")
SWARM_ENUM_CODEC(RestartCondition, kRestartConditions, "restart condition")
SWARM_ENUM_CODEC(PortProtocol, kPortProtocols, "port protocol")
SWARM_ENUM_CODEC(PublishMode, kPublishModes, "publish mode")
SWARM_ENUM_CODEC(FailureAction, kFailureActions, "failure action")
SWARM_ENUM_CODEC(UpdateOrder, kUpdateOrders, "update order")
SWARM_ENUM_CODEC(RolloutState, kRolloutStates, "rollout state")
SWARM_ENUM_CODEC(Role, kRoles, "role")
SWARM_ENUM_CODEC(Availability, kAvailabilities, "availability")
SWARM_ENUM_CODEC(NodeState, kNodeStates, "node state")
SWARM_ENUM_CODEC(ConditionKind, kConditionKinds, "condition kind")
SWARM_ENUM_CODEC(TaskState, kTaskStates, "task state")
SWARM_ENUM_CODEC(WaitReason, kWaitReasons, "wait reason")
SWARM_ENUM_CODEC(EndpointState, kEndpointStates, "endpoint state")

#undef SWARM_ENUM_CODEC

}  // namespace swarm::wire
