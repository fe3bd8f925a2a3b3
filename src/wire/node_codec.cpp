#include "wire/node_codec.h"

#include "wire/enum_codec.h"
#include "wire/fields.h"
#include "wire/service_codec.h"

namespace swarm::wire {

void encode(const model::NodeSpec& spec, v1::NodeSpec* out) {
  out->set_role(encode(spec.role));
  out->set_availability(encode(spec.availability));
  encode_labels(spec.labels, out->mutable_labels());
}

Result<model::NodeSpec> decode(const v1::NodeSpec& in) {
  model::NodeSpec spec;
  SWARM_ASSIGN_OR_RETURN(spec.role, decode(in.role()));
  SWARM_ASSIGN_OR_RETURN(spec.availability, decode(in.availability()));
  SWARM_ASSIGN_OR_RETURN(spec.labels, decode_labels(in.labels()));
  return spec;
}

void encode(const model::NodeDescription& description, v1::NodeDescription* out) {
  out->set_hostname(description.hostname);
  out->set_os(description.os);
  out->set_architecture(description.architecture);
  encode(description.resources, out->mutable_resources());
  out->set_runtime(description.runtime);
  out->set_engine_version(description.engine_version);
  encode_labels(description.engine_labels, out->mutable_engine_labels());
  out->set_version(description.version);
  out->set_mesh_address(description.mesh_address);
  out->set_manager_refusal(description.manager_refusal);
}

Result<model::NodeDescription> decode(const v1::NodeDescription& in) {
  model::NodeDescription description;
  description.hostname = in.hostname();
  description.os = in.os();
  description.architecture = in.architecture();
  SWARM_ASSIGN_OR_RETURN(description.resources, decode(in.resources()));
  description.runtime = in.runtime();
  description.engine_version = in.engine_version();
  SWARM_ASSIGN_OR_RETURN(description.engine_labels, decode_labels(in.engine_labels()));
  description.version = in.version();
  description.mesh_address = in.mesh_address();
  description.manager_refusal = in.manager_refusal();
  return description;
}

void encode(const model::NodeCondition& condition, v1::NodeCondition* out) {
  out->set_kind(encode(condition.kind));
  out->set_reason(condition.reason);
  out->set_since_ns(to_ns(condition.since));
}

Result<model::NodeCondition> decode(const v1::NodeCondition& in) {
  model::NodeCondition condition;
  SWARM_ASSIGN_OR_RETURN(condition.kind, decode(in.kind()));
  condition.reason = in.reason();
  condition.since = time_of(in.since_ns());
  return condition;
}

void encode(const model::ClosedPort& closed, v1::ClosedPort* out) {
  out->set_service(closed.service.value());
  encode(closed.port, out->mutable_port());
  out->set_reason(closed.reason);
}

Result<model::ClosedPort> decode(const v1::ClosedPort& in) {
  model::ClosedPort closed;
  closed.service = model::ServiceId(in.service());
  SWARM_ASSIGN_OR_RETURN(closed.port, decode(in.port()));
  closed.reason = in.reason();
  return closed;
}

void encode(const model::NodeStatus& status, v1::NodeStatus* out) {
  out->set_state(encode(status.state));
  out->set_message(status.message);
  out->set_address(status.address);
  out->set_at_ns(to_ns(status.at));
  for (const model::NodeCondition& condition : status.conditions) {
    encode(condition, out->add_conditions());
  }
  for (const model::ClosedPort& closed : status.closed_ports) {
    encode(closed, out->add_closed_ports());
  }
  out->set_is_restarting(status.is_restarting);
}

Result<model::NodeStatus> decode(const v1::NodeStatus& in) {
  model::NodeStatus status;
  SWARM_ASSIGN_OR_RETURN(status.state, decode(in.state()));
  status.message = in.message();
  status.address = in.address();
  status.at = time_of(in.at_ns());
  SWARM_ASSIGN_OR_RETURN(status.conditions,
                         decode_all<model::NodeCondition>(in.conditions(), decode));
  SWARM_ASSIGN_OR_RETURN(status.closed_ports,
                         decode_all<model::ClosedPort>(in.closed_ports(), decode));
  status.is_restarting = in.is_restarting();
  return status;
}

void encode(const model::ManagerStatus& manager, v1::ManagerStatus* out) {
  out->set_member(manager.member.value());
  out->set_address(manager.address);
}

Result<model::ManagerStatus> decode(const v1::ManagerStatus& in) {
  return model::ManagerStatus{model::MemberId(in.member()), in.address()};
}

void encode(const model::Node& node, v1::Node* out) {
  out->set_id(node.id.value());
  encode(node.meta, out->mutable_meta());
  encode(node.spec, out->mutable_spec());
  out->set_role(encode(node.role));
  encode(node.description, out->mutable_description());
  encode(node.status, out->mutable_status());
  if (node.manager) {
    encode(*node.manager, out->mutable_manager());
  }
}

Result<model::Node> decode(const v1::Node& in) {
  model::Node node;
  node.id = model::NodeId(in.id());
  node.meta = decode(in.meta());
  SWARM_ASSIGN_OR_RETURN(node.spec, decode(in.spec()));
  SWARM_ASSIGN_OR_RETURN(node.role, decode(in.role()));
  SWARM_ASSIGN_OR_RETURN(node.description, decode(in.description()));
  SWARM_ASSIGN_OR_RETURN(node.status, decode(in.status()));
  if (in.has_manager()) {
    SWARM_ASSIGN_OR_RETURN(node.manager, decode(in.manager()));
  }
  return node;
}

}  // namespace swarm::wire
