#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "proto/ca.grpc.pb.h"
#include "wire/enum_codec.h"

namespace swarm::api {

namespace {

using Reply = absl::AnyInvocable<void(Result<v1::CertificateReply>)>;

auto replying(Reply reply) {
  return [reply = std::move(reply)](Result<Gateway::IssuedCertificate> issued) mutable {
    if (!issued.ok()) {
      reply(issued.status());
      return;
    }
    v1::CertificateReply out;
    out.set_node(issued->node.value());
    out.set_swarm(issued->swarm.value());
    out.set_role(wire::encode(issued->role));
    out.set_certificate(issued->certificate);
    reply(std::move(out));
  };
}

void issue(std::shared_ptr<Gateway> gateway, const Caller&, const v1::IssueRequest& request,
           Reply reply) {
  const Result<model::Availability> availability =
      request.availability() == v1::AVAILABILITY_UNSPECIFIED
          ? Result<model::Availability>(model::Availability::active)
          : wire::decode(request.availability());
  if (!availability.ok()) {
    reply(availability.status());
    return;
  }
  gateway->issue_certificate(request.token_secret(), request.certificate_request(), *availability,
                             replying(std::move(reply)));
}

void renew(std::shared_ptr<Gateway> gateway, const Caller& caller, const v1::RenewRequest& request,
           Reply reply) {
  gateway->renew_certificate(caller.node, request.certificate_request(),
                             replying(std::move(reply)));
}

void renew_expired(std::shared_ptr<Gateway> gateway, const Caller&,
                   const v1::RenewExpiredRequest& request, Reply reply) {
  gateway->renew_expired_certificate(request.certificate(), request.certificate_request(),
                                     replying(std::move(reply)));
}

constexpr LeaderMethod<v1::IssueRequest, v1::CertificateReply> kIssue{"/swarm.v1.NodeCa/Issue",
                                                                      Repeat::never, issue};
// Signing once more does no harm.
constexpr LeaderMethod<v1::RenewRequest, v1::CertificateReply> kRenew{"/swarm.v1.NodeCa/Renew",
                                                                      Repeat::freely, renew};

constexpr LeaderMethod<v1::RenewExpiredRequest, v1::CertificateReply> kRenewExpired{
    "/swarm.v1.NodeCa/RenewExpired", Repeat::freely, renew_expired};

class NodeCaService final : public v1::NodeCa::CallbackService {
 public:
  explicit NodeCaService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  grpc::ServerUnaryReactor* Issue(grpc::CallbackServerContext* context,
                                  const v1::IssueRequest* request,
                                  v1::CertificateReply* response) override {
    return serve_by_leader(core_, kIssue, context, request, response);
  }
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const v1::RenewRequest* request,
                                  v1::CertificateReply* response) override {
    return serve_by_leader(core_, kRenew, context, request, response);
  }
  grpc::ServerUnaryReactor* RenewExpired(grpc::CallbackServerContext* context,
                                         const v1::RenewExpiredRequest* request,
                                         v1::CertificateReply* response) override {
    return serve_by_leader(core_, kRenewExpired, context, request, response);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_node_ca_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<NodeCaService>(std::move(core));
}

}  // namespace swarm::api
