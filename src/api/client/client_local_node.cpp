#include "api/client/grpc_client.h"
#include "proto/local_node.grpc.pb.h"
#include "wire/enum_codec.h"

namespace swarm::api {

using Stub = v1::LocalNode::Stub;

namespace {

LocalNode::Initialized from_reply(const v1::NodeInitReply& reply) {
  return LocalNode::Initialized{.node = model::NodeId(reply.node()),
                                .worker_token = reply.worker_token(),
                                .manager_token = reply.manager_token(),
                                .advertise_address = reply.advertise_address()};
}

}  // namespace

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
  info.manager_refusal = reply.manager_refusal();
  info.notice = reply.notice();
  info.membership_fault = reply.membership_fault();
  return info;
}

Result<LocalNode::Initialized> GrpcClient::init(const LocalNode::InitOptions& options) {
  v1::NodeInitRequest request;
  request.set_listen_address(options.listen_address);
  request.set_advertise_address(options.advertise_address);
  request.set_force(options.force);
  request.set_availability(wire::encode(options.availability));
  request.set_force_new_cluster(options.force_new_cluster);
  request.set_certificate_validity_ns(options.certificate_validity.count());
  request.set_certificate_grace_ns(options.certificate_grace.count());
  v1::NodeInitReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::LocalNode>(&Stub::Init, request, reply));
  return from_reply(reply);
}

Result<model::Role> GrpcClient::join(const LocalNode::JoinOptions& options) {
  v1::NodeJoinRequest request;
  request.set_manager_address(options.manager_address);
  request.set_token(options.token);
  request.set_listen_address(options.listen_address);
  request.set_advertise_address(options.advertise_address);
  request.set_force(options.force);
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

Result<LocalNode::BackedUp> GrpcClient::backup(const std::string& file) {
  v1::NodeBackupRequest request;
  request.set_file(file);
  v1::NodeBackupReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::LocalNode>(&Stub::Backup, request, reply));
  return LocalNode::BackedUp{
      .swarm = model::SwarmId(reply.swarm()), .position = reply.position(), .bytes = reply.bytes()};
}

Result<LocalNode::Initialized> GrpcClient::restore(const LocalNode::RestoreOptions& options) {
  v1::NodeRestoreRequest request;
  request.set_file(options.file);
  request.set_listen_address(options.listen_address);
  request.set_advertise_address(options.advertise_address);
  request.set_force(options.force);
  v1::NodeInitReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::LocalNode>(&Stub::Restore, request, reply));
  return from_reply(reply);
}

}  // namespace swarm::api
