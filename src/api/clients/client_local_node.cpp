#include "api/clients/grpc_client.h"
#include "proto/local_node.grpc.pb.h"
#include "wire/enum_codec.h"

namespace swarm::api {

using Stub = v1::LocalNode::Stub;

Result<LocalNode::Info> GrpcClient::info() {
  v1::NodeInfoReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::LocalNode>(&Stub::Info, v1::NodeInfoRequest(), reply));
  LocalNode::Info info;
  SWARM_ASSIGN_OR_RETURN(info.role, wire::decode(reply.role()));
  info.version = reply.version();
  info.is_member = reply.is_member();
  info.node = model::NodeId(reply.node());
  info.swarm = model::SwarmId(reply.swarm());
  info.is_leader = reply.is_leader();
  info.leader_address = reply.leader_address();
  info.advertise_address = reply.advertise_address();
  info.runtime = reply.runtime();
  info.hostname = reply.hostname();
  return info;
}

Result<LocalNode::Initialized> GrpcClient::init(const LocalNode::InitOptions& options) {
  v1::NodeInitRequest request;
  request.set_listen_address(options.listen_address);
  request.set_advertise_address(options.advertise_address);
  request.set_availability(wire::encode(options.availability));
  v1::NodeInitReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::LocalNode>(&Stub::Init, request, reply));
  return LocalNode::Initialized{.node = model::NodeId(reply.node()),
                                .worker_token = reply.worker_token(),
                                .manager_token = reply.manager_token(),
                                .advertise_address = reply.advertise_address()};
}

Result<model::Role> GrpcClient::join(const LocalNode::JoinOptions& options) {
  v1::NodeJoinRequest request;
  request.set_manager_address(options.manager_address);
  request.set_token(options.token);
  request.set_listen_address(options.listen_address);
  request.set_advertise_address(options.advertise_address);
  request.set_availability(wire::encode(options.availability));
  v1::NodeJoinReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::LocalNode>(&Stub::Join, request, reply));
  return wire::decode(reply.role());
}

Status GrpcClient::leave(bool force) {
  v1::NodeLeaveRequest request;
  request.set_force(force);
  v1::NodeLeaveReply reply;
  return connection_.call<v1::LocalNode>(&Stub::Leave, request, reply);
}

}  // namespace swarm::api
