#include "api/client/grpc_client.h"
#include "api/client/spec_bound.h"
#include "proto/services.grpc.pb.h"
#include "wire/service_codec.h"

namespace swarm::api {

using Stub = v1::Services::Stub;

namespace {

Result<Client::ServiceSummary> decode(const v1::ServiceSummary& in) {
  Client::ServiceSummary summary;
  SWARM_ASSIGN_OR_RETURN(summary.service, wire::decode(in.service()));
  SWARM_ASSIGN_OR_RETURN(summary.task, wire::decode(in.task()));
  summary.running = in.running();
  summary.desired = in.desired();
  for (const v1::ServiceClosedPort& closed : in.closed_ports()) {
    SWARM_ASSIGN_OR_RETURN(model::PublishedPort port, wire::decode(closed.port()));
    summary.closed_ports.push_back(
        {model::NodeId(closed.node()), closed.node_hostname(), port, closed.reason()});
  }
  return summary;
}

Result<Client::RevisionView> decode(const v1::RevisionView& in) {
  Client::RevisionView view;
  SWARM_ASSIGN_OR_RETURN(view.revision, wire::decode(in.revision()));
  view.is_current = in.is_current();
  view.is_previous = in.is_previous();
  view.running = in.running();
  return view;
}

}  // namespace

Result<model::ServiceId> GrpcClient::create_service(const model::ServiceSpec& spec) {
  v1::ServiceCreateRequest request;
  wire::encode(spec, request.mutable_spec());
  SWARM_RETURN_IF_ERROR(check_spec_size(request.spec()));
  v1::ServiceCreateReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Services>(&Stub::Create, request, reply));
  return model::ServiceId(reply.id());
}

Result<Client::ServiceSummary> GrpcClient::get_service(const std::string& reference) {
  v1::ServiceGetRequest request;
  request.set_reference(reference);
  v1::ServiceSummary reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Services>(&Stub::Get, request, reply));
  return decode(reply);
}

Result<std::vector<Client::ServiceSummary>> GrpcClient::list_services() {
  v1::ServiceListReply reply;
  SWARM_RETURN_IF_ERROR(
      connection_.call<v1::Services>(&Stub::List, v1::ServiceListRequest(), reply));
  std::vector<ServiceSummary> services;
  for (const v1::ServiceSummary& in : reply.services()) {
    SWARM_ASSIGN_OR_RETURN(services.emplace_back(), decode(in));
  }
  return services;
}

Result<model::RevisionNumber> GrpcClient::update_service(const model::ServiceId& service,
                                                         model::Position version,
                                                         const model::ServiceSpec& spec) {
  v1::ServiceUpdateRequest request;
  request.set_id(service.value());
  request.set_version(version);
  wire::encode(spec, request.mutable_spec());
  SWARM_RETURN_IF_ERROR(check_spec_size(request.spec()));
  v1::ServiceUpdateReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Services>(&Stub::Update, request, reply));
  return reply.revision();
}

Result<model::RevisionNumber> GrpcClient::rollback_service(
    const std::string& reference, std::optional<model::RevisionNumber> to) {
  v1::ServiceRollbackRequest request;
  request.set_reference(reference);
  request.set_to(to.value_or(0));
  v1::ServiceRollbackReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Services>(&Stub::Rollback, request, reply));
  return reply.revision();
}

Status GrpcClient::scale_service(const std::string& reference, uint64_t replicas) {
  v1::ServiceScaleRequest request;
  request.set_reference(reference);
  request.set_replicas(replicas);
  v1::ServiceScaleReply reply;
  return connection_.call<v1::Services>(&Stub::Scale, request, reply);
}

Status GrpcClient::remove_service(const std::string& reference) {
  v1::ServiceRemoveRequest request;
  request.set_reference(reference);
  v1::ServiceRemoveReply reply;
  return connection_.call<v1::Services>(&Stub::Remove, request, reply);
}

Result<std::vector<Client::RevisionView>> GrpcClient::history(const std::string& reference) {
  v1::ServiceHistoryRequest request;
  request.set_reference(reference);
  v1::ServiceHistoryReply reply;
  SWARM_RETURN_IF_ERROR(connection_.call<v1::Services>(&Stub::History, request, reply));
  std::vector<RevisionView> revisions;
  for (const v1::RevisionView& in : reply.revisions()) {
    SWARM_ASSIGN_OR_RETURN(revisions.emplace_back(), decode(in));
  }
  return revisions;
}

}  // namespace swarm::api
