#include "wire/agent_codec.h"

#include <utility>
#include <variant>

#include "wire/enum_codec.h"
#include "wire/fields.h"
#include "wire/node_codec.h"
#include "wire/service_codec.h"
#include "wire/task_codec.h"

namespace swarm::wire {
namespace {

Status unknown_kind() {
  return absl::UnimplementedError(
      "the message is of a kind this version does not know: the peer may be of a newer version");
}

void encode_one(const model::AgentHello& hello, v1::AgentUp* out) {
  encode(hello.description, out->mutable_hello()->mutable_description());
  out->mutable_hello()->set_last_session(hello.last_session.value());
  out->mutable_hello()->set_instance(hello.instance);
}

void encode_one(const model::AgentHeartbeat& heartbeat, v1::AgentUp* out) {
  out->mutable_heartbeat()->set_applied(heartbeat.applied);
  out->mutable_heartbeat()->set_sent_at_ns(to_ns(heartbeat.sent_at));
}

void encode_one(const std::vector<model::TaskReport>& reports, v1::AgentUp* out) {
  for (const model::TaskReport& report : reports) {
    v1::TaskReport* item = out->mutable_reports()->add_reports();
    item->set_task(report.task.value());
    encode(report.status, item->mutable_status());
  }
  out->mutable_reports();  // also when there are none
}

void encode_one(const model::NodeDescription& description, v1::AgentUp* out) {
  encode(description, out->mutable_description());
}

void encode_one(const model::NodeReport& report, v1::AgentUp* out) {
  v1::NodeReport* message = out->mutable_node();
  for (const model::NodeCondition& condition : report.conditions) {
    encode(condition, message->add_conditions());
  }
  for (const model::ClosedPort& closed : report.closed_ports) {
    encode(closed, message->add_closed_ports());
  }
  message->set_ports_as_of(report.ports_as_of);
}

void encode_one(const model::AgentRestarting&, v1::AgentUp* out) {
  out->mutable_restarting();
}

Result<model::AgentUpMessage> decode_node(const v1::NodeReport& in) {
  model::NodeReport report;
  SWARM_ASSIGN_OR_RETURN(report.conditions,
                         decode_all<model::NodeCondition>(in.conditions(), decode));
  SWARM_ASSIGN_OR_RETURN(report.closed_ports,
                         decode_all<model::ClosedPort>(in.closed_ports(), decode));
  report.ports_as_of = in.ports_as_of();
  return report;
}

Result<std::vector<model::TaskReport>> decode_reports(const v1::TaskReports& in) {
  std::vector<model::TaskReport> reports;
  reports.reserve(in.reports_size());
  for (const v1::TaskReport& item : in.reports()) {
    SWARM_ASSIGN_OR_RETURN(model::TaskStatus status, decode(item.status()));
    reports.push_back({model::TaskId(item.task()), std::move(status)});
  }
  return reports;
}

void encode_one(const model::SessionAccepted& accepted, v1::AgentDown* out) {
  v1::SessionAccepted* message = out->mutable_accepted();
  message->set_session(accepted.session.value());
  message->set_heartbeat_period_ns(to_ns(accepted.heartbeat_period));
  message->set_heartbeat_misses(accepted.heartbeat_misses);
  message->set_role(encode(accepted.role));
}

void encode_one(const model::AssignmentSet& set, v1::AgentDown* out) {
  encode(set, out->mutable_assignments());
}

void encode_one(const model::MeshTable& table, v1::AgentDown* out) {
  encode(table, out->mutable_mesh());
}

void encode_one(const model::ManagerList& managers, v1::AgentDown* out) {
  encode_list(managers.addresses, out->mutable_managers()->mutable_addresses());
}

void encode_one(const model::RoleChange& change, v1::AgentDown* out) {
  out->mutable_role()->set_role(encode(change.role));
}

Result<model::AgentDownMessage> decode_accepted(const v1::SessionAccepted& in) {
  model::SessionAccepted accepted;
  accepted.session = model::SessionId(in.session());
  accepted.heartbeat_period = duration_of(in.heartbeat_period_ns());
  accepted.heartbeat_misses = in.heartbeat_misses();
  SWARM_ASSIGN_OR_RETURN(accepted.role, decode(in.role()));
  return accepted;
}

void encode_service(const model::MeshService& service, v1::MeshService* out) {
  out->set_service(service.service.value());
  out->set_name(service.name);
  for (const model::PublishedPort& port : service.ports) {
    encode(port, out->add_ports());
  }
  for (const model::Endpoint& endpoint : service.endpoints) {
    encode(endpoint, out->add_endpoints());
  }
}

Result<model::MeshService> decode_service(const v1::MeshService& in) {
  model::MeshService service;
  service.service = model::ServiceId(in.service());
  service.name = in.name();
  SWARM_ASSIGN_OR_RETURN(service.ports, decode_all<model::PublishedPort>(in.ports(), decode));
  SWARM_ASSIGN_OR_RETURN(service.endpoints, decode_all<model::Endpoint>(in.endpoints(), decode));
  return service;
}

}  // namespace

void encode(const model::AgentUpMessage& message, v1::AgentUp* out) {
  std::visit([out](const auto& one) { encode_one(one, out); }, message);
}

Result<model::AgentUpMessage> decode(const v1::AgentUp& in) {
  switch (in.message_case()) {
    case v1::AgentUp::kHello: {
      model::AgentHello hello;
      SWARM_ASSIGN_OR_RETURN(hello.description, decode(in.hello().description()));
      hello.last_session = model::SessionId(in.hello().last_session());
      hello.instance = in.hello().instance();
      return hello;
    }
    case v1::AgentUp::kHeartbeat:
      return model::AgentHeartbeat{in.heartbeat().applied(), time_of(in.heartbeat().sent_at_ns())};
    case v1::AgentUp::kReports:
      return decode_reports(in.reports());
    case v1::AgentUp::kDescription:
      return decode(in.description());
    case v1::AgentUp::kNode:
      return decode_node(in.node());
    case v1::AgentUp::kRestarting:
      return model::AgentRestarting{};
    case v1::AgentUp::MESSAGE_NOT_SET:
      break;
  }
  return unknown_kind();
}

void encode(const model::AgentDownMessage& message, v1::AgentDown* out) {
  std::visit([out](const auto& one) { encode_one(one, out); }, message);
}

Result<model::AgentDownMessage> decode(const v1::AgentDown& in) {
  switch (in.message_case()) {
    case v1::AgentDown::kAccepted:
      return decode_accepted(in.accepted());
    case v1::AgentDown::kAssignments:
      return decode(in.assignments());
    case v1::AgentDown::kMesh:
      return decode(in.mesh());
    case v1::AgentDown::kManagers:
      return model::ManagerList{decode_list(in.managers().addresses())};
    case v1::AgentDown::kRole: {
      SWARM_ASSIGN_OR_RETURN(model::Role role, decode(in.role().role()));
      return model::RoleChange{role};
    }
    case v1::AgentDown::MESSAGE_NOT_SET:
      break;
  }
  return unknown_kind();
}

void encode(const model::Assignment& assignment, v1::Assignment* out) {
  out->set_task(assignment.task.value());
  out->set_service(assignment.service.value());
  out->set_service_name(assignment.service_name);
  out->set_slot(assignment.slot);
  out->set_revision(assignment.revision);
  out->set_desired(encode(assignment.desired));
  encode(assignment.spec, out->mutable_spec());
}

Result<model::Assignment> decode(const v1::Assignment& in) {
  model::Assignment assignment;
  assignment.task = model::TaskId(in.task());
  assignment.service = model::ServiceId(in.service());
  assignment.service_name = in.service_name();
  assignment.slot = in.slot();
  assignment.revision = in.revision();
  SWARM_ASSIGN_OR_RETURN(assignment.desired, decode(in.desired()));
  SWARM_ASSIGN_OR_RETURN(assignment.spec, decode(in.spec()));
  return assignment;
}

void encode(const model::AssignmentSet& set, v1::AssignmentSet* out) {
  out->set_is_complete(set.is_complete);
  out->set_position(set.position);
  for (const model::Assignment& assignment : set.assigned) {
    encode(assignment, out->add_assigned());
  }
  for (const model::TaskId& task : set.removed) {
    out->add_removed(task.value());
  }
}

Result<model::AssignmentSet> decode(const v1::AssignmentSet& in) {
  model::AssignmentSet set;
  set.is_complete = in.is_complete();
  set.position = in.position();
  SWARM_ASSIGN_OR_RETURN(set.assigned, decode_all<model::Assignment>(in.assigned(), decode));
  for (const std::string& task : in.removed()) {
    set.removed.emplace_back(task);
  }
  return set;
}

void encode(const model::Endpoint& endpoint, v1::Endpoint* out) {
  out->set_task(endpoint.task.value());
  out->set_node(endpoint.node.value());
  out->set_mesh_address(endpoint.mesh_address);
  out->set_state(encode(endpoint.state));
}

Result<model::Endpoint> decode(const v1::Endpoint& in) {
  model::Endpoint endpoint;
  endpoint.task = model::TaskId(in.task());
  endpoint.node = model::NodeId(in.node());
  endpoint.mesh_address = in.mesh_address();
  SWARM_ASSIGN_OR_RETURN(endpoint.state, decode(in.state()));
  return endpoint;
}

void encode(const model::MeshTable& table, v1::MeshTable* out) {
  out->set_position(table.position);
  for (const model::MeshService& service : table.services) {
    encode_service(service, out->add_services());
  }
  for (const model::NodeId& node : table.removed_nodes) {
    out->add_removed_nodes(node.value());
  }
}

Result<model::MeshTable> decode(const v1::MeshTable& in) {
  model::MeshTable table;
  table.position = in.position();
  SWARM_ASSIGN_OR_RETURN(table.services,
                         decode_all<model::MeshService>(in.services(), decode_service));
  for (const std::string& node : in.removed_nodes()) {
    table.removed_nodes.emplace_back(node);
  }
  return table;
}

}  // namespace swarm::wire
