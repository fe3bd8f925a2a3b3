#include "api/client/grpc_client.h"
#include "proto/nodes.grpc.pb.h"
#include "wire/node_codec.h"
#include "wire/service_codec.h"

namespace swarm::api {

using Stub = v1::Nodes::Stub;

namespace {

Result<Client::NodeView> decode(const v1::NodeView& in) {
  Client::NodeView view;
  SWARM_ASSIGN_OR_RETURN(view.node, wire::decode(in.node()));
  SWARM_ASSIGN_OR_RETURN(view.reserved, wire::decode(in.reserved()));
  view.is_leader = in.is_leader();
  view.is_reachable = in.is_reachable();
  view.is_self = in.is_self();
  return view;
}

}  // namespace

Result<std::vector<Client::NodeView>> GrpcClient::list_nodes() {
  v1::NodeListReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Nodes>(&Stub::List, v1::NodeListRequest(), reply));
  std::vector<NodeView> nodes;
  for (const v1::NodeView& in : reply.nodes()) {
    SWARM_ASSIGN_OR_RETURN(nodes.emplace_back(), decode(in));
  }
  return nodes;
}

Result<Client::NodeView> GrpcClient::get_node(const std::string& reference) {
  v1::NodeGetRequest request;
  request.set_reference(reference);
  v1::NodeView reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Nodes>(&Stub::Get, request, reply));
  return decode(reply);
}

Status GrpcClient::update_node(const model::NodeId& node, model::Position version,
                               const model::NodeSpec& spec) {
  v1::NodeUpdateRequest request;
  request.set_id(node.value());
  request.set_version(version);
  wire::encode(spec, request.mutable_spec());
  v1::NodeUpdateReply reply;
  return connection_.call<v1::Nodes>(&Stub::Update, request, reply);
}

Status GrpcClient::remove_node(const std::string& reference, bool force) {
  v1::NodeRemoveRequest request;
  request.set_reference(reference);
  request.set_force(force);
  v1::NodeRemoveReply reply;
  return connection_.call<v1::Nodes>(&Stub::Remove, request, reply);
}

}  // namespace swarm::api
