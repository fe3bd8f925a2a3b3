#include "api/client/grpc_client.h"
#include "proto/swarm.grpc.pb.h"
#include "proto/tasks.grpc.pb.h"
#include "wire/cluster_codec.h"
#include "wire/enum_codec.h"
#include "wire/service_codec.h"
#include "wire/task_codec.h"

namespace swarm::api {

namespace {

Result<Client::TaskView> decode(const v1::TaskView& in) {
  Client::TaskView view;
  SWARM_ASSIGN_OR_RETURN(view.task, wire::decode(in.task()));
  view.service_name = in.service_name();
  view.image = in.image();
  view.node_hostname = in.node_hostname();
  view.node_trouble = in.node_trouble();
  if (in.has_wait()) {
    SWARM_ASSIGN_OR_RETURN(view.wait, wire::decode(in.wait()));
  }
  for (const v1::PublishedPort& port : in.ports()) {
    SWARM_ASSIGN_OR_RETURN(view.ports.emplace_back(), wire::decode(port));
  }
  return view;
}

}  // namespace

Result<Client::SwarmView> GrpcClient::inspect_swarm() {
  v1::SwarmInspectReply reply;
  SWARM_RETURN_IF_ERROR(
      connection_.call<v1::Swarm>(&v1::Swarm::Stub::Inspect, v1::SwarmInspectRequest(), reply));
  SwarmView view;
  SWARM_ASSIGN_OR_RETURN(view.cluster, wire::decode(reply.cluster()));
  view.managers = reply.managers();
  view.workers = reply.workers();
  return view;
}

Result<Client::JoinToken> GrpcClient::join_token(model::Role role, bool rotate) {
  v1::JoinTokenRequest request;
  request.set_role(wire::encode(role));
  request.set_rotate(rotate);
  v1::JoinTokenReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Swarm>(&v1::Swarm::Stub::JoinToken, request, reply));
  return JoinToken{.token = reply.token(), .manager_address = reply.manager_address()};
}

Result<std::vector<Client::TaskView>> GrpcClient::list_tasks(const TaskFilter& filter) {
  v1::TaskListRequest request;
  for (const std::string& reference : filter.services) {
    request.add_services(reference);
  }
  for (const std::string& reference : filter.nodes) {
    request.add_nodes(reference);
  }
  v1::TaskListReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Tasks>(&v1::Tasks::Stub::List, request, reply));
  std::vector<TaskView> tasks;
  for (const v1::TaskView& in : reply.tasks()) {
    SWARM_ASSIGN_OR_RETURN(tasks.emplace_back(), decode(in));
  }
  return tasks;
}

}  // namespace swarm::api
