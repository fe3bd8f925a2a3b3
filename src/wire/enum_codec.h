#pragma once

#include "base/result.h"
#include "model/agent_messages.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

namespace swarm::v1 {
enum MountType : int;
enum RestartCondition : int;
enum PortProtocol : int;
enum PublishMode : int;
enum FailureAction : int;
enum UpdateOrder : int;
enum RolloutState : int;
enum Role : int;
enum Availability : int;
enum NodeState : int;
enum ConditionKind : int;
enum TaskState : int;
enum WaitReason : int;
enum EndpointState : int;
}  // namespace swarm::v1

// Enums of model as enums of proto/objects.proto and back. A number that is not known, and the zero
// of a field that was not sent, are INVALID_ARGUMENT.
namespace swarm::wire {

v1::MountType encode(model::MountType value);
v1::RestartCondition encode(model::RestartCondition value);
v1::PortProtocol encode(model::PortProtocol value);
v1::PublishMode encode(model::PublishMode value);
v1::FailureAction encode(model::FailureAction value);
v1::UpdateOrder encode(model::UpdateOrder value);
v1::RolloutState encode(model::RolloutState value);
v1::Role encode(model::Role value);
v1::Availability encode(model::Availability value);
v1::NodeState encode(model::NodeState value);
v1::ConditionKind encode(model::ConditionKind value);
v1::TaskState encode(model::TaskState value);
v1::WaitReason encode(model::WaitReason value);
v1::EndpointState encode(model::EndpointState value);

Result<model::MountType> decode(v1::MountType value);
Result<model::RestartCondition> decode(v1::RestartCondition value);
Result<model::PortProtocol> decode(v1::PortProtocol value);
Result<model::PublishMode> decode(v1::PublishMode value);
Result<model::FailureAction> decode(v1::FailureAction value);
Result<model::UpdateOrder> decode(v1::UpdateOrder value);
Result<model::RolloutState> decode(v1::RolloutState value);
Result<model::Role> decode(v1::Role value);
Result<model::Availability> decode(v1::Availability value);
Result<model::NodeState> decode(v1::NodeState value);
Result<model::ConditionKind> decode(v1::ConditionKind value);
Result<model::TaskState> decode(v1::TaskState value);
Result<model::WaitReason> decode(v1::WaitReason value);
Result<model::EndpointState> decode(v1::EndpointState value);

}  // namespace swarm::wire
