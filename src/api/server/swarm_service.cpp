#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "api/server/store_call.h"
#include "control/swarm.h"
#include "proto/swarm.grpc.pb.h"
#include "security/join_token.h"
#include "security/tls/certificate.h"
#include "security/tls/random_secret.h"
#include "wire/cluster_codec.h"
#include "wire/enum_codec.h"

namespace swarm::api {

namespace {

using control::Context;
using state::ChangeSet;
using state::View;

template <class Response>
using Reply = absl::AnyInvocable<void(Result<Response>)>;
using GatewayPtr = std::shared_ptr<Gateway>;

void inspect(GatewayPtr gateway, const Caller&, const v1::SwarmInspectRequest&,
             Reply<v1::SwarmInspectReply> reply) {
  answer_from_store<v1::SwarmInspectReply>(
      std::move(gateway),
      [](const View& view, Gateway&, v1::SwarmInspectReply& out) {
        model::Cluster shown = *view.cluster();
        shown.ca_key.clear();
        shown.worker_token_secret.clear();
        shown.manager_token_secret.clear();
        wire::encode(shown, out.mutable_cluster());
        uint64_t managers = 0;
        for (const auto& [id, node] : view.nodes()) {
          managers += node->manager.has_value() ? 1 : 0;
        }
        out.set_managers(managers);
        out.set_workers(view.nodes().size() - managers);
        return absl::OkStatus();
      },
      std::move(reply));
}

Status fill_token(const model::Cluster& cluster, const std::string& secret,
                  const std::string& address, v1::JoinTokenReply& out) {
  SWARM_ASSIGN_OR_RETURN(const std::string digest, security::digest_of(cluster.ca_certificate));
  out.set_token(security::format_join_token({.digest = digest, .secret = secret}));
  out.set_manager_address(address);
  return absl::OkStatus();
}

void rotate(GatewayPtr gateway, model::Role role, Reply<v1::JoinTokenReply> reply) {
  const std::string address = gateway->leader().address;
  change_store<v1::JoinTokenReply>(
      std::move(gateway),
      [address, role](const View& view, WallTime now, Random& random,
                      v1::JoinTokenReply& out) -> Result<ChangeSet> {
        const std::string secret = security::random_secret();
        SWARM_ASSIGN_OR_RETURN(ChangeSet changes, control::rotate_join_token(
                                                      Context{view, now, random}, role, secret));
        SWARM_RETURN_IF_ERROR(fill_token(*view.cluster(), secret, address, out));
        return changes;
      },
      std::move(reply));
}

void join_token(GatewayPtr gateway, const Caller&, const v1::JoinTokenRequest& request,
                Reply<v1::JoinTokenReply> reply) {
  const Result<model::Role> role = wire::decode(request.role());
  if (!role.ok()) {
    reply(role.status());
    return;
  }
  if (request.rotate()) {
    rotate(std::move(gateway), *role, std::move(reply));
    return;
  }
  const std::string address = gateway->leader().address;
  answer_from_store<v1::JoinTokenReply>(
      std::move(gateway),
      [address, role = *role](const View& view, Gateway&, v1::JoinTokenReply& out) {
        const model::Cluster& cluster = *view.cluster();
        return fill_token(cluster,
                          role == model::Role::manager ? cluster.manager_token_secret
                                                       : cluster.worker_token_secret,
                          address, out);
      },
      std::move(reply));
}

constexpr LeaderMethod<v1::SwarmInspectRequest, v1::SwarmInspectReply> kInspect{
    "/swarm.v1.Swarm/Inspect", true, inspect};
// A write: asked to rotate twice, it would give a secret that is replaced a moment later.
constexpr LeaderMethod<v1::JoinTokenRequest, v1::JoinTokenReply> kJoinToken{
    "/swarm.v1.Swarm/JoinToken", false, join_token};

class SwarmService final : public v1::Swarm::CallbackService {
 public:
  explicit SwarmService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  grpc::ServerUnaryReactor* Inspect(grpc::CallbackServerContext* context,
                                    const v1::SwarmInspectRequest* request,
                                    v1::SwarmInspectReply* response) override {
    return serve_by_leader(core_, kInspect, context, request, response);
  }
  grpc::ServerUnaryReactor* JoinToken(grpc::CallbackServerContext* context,
                                      const v1::JoinTokenRequest* request,
                                      v1::JoinTokenReply* response) override {
    return serve_by_leader(core_, kJoinToken, context, request, response);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_swarm_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<SwarmService>(std::move(core));
}

}  // namespace swarm::api
