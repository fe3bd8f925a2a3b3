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

Status inspect(const View& view, Gateway&, const Caller&, const v1::SwarmInspectRequest&,
               v1::SwarmInspectReply& out) {
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
}

Status fill_token(const model::Cluster& cluster, const std::string& secret,
                  const std::string& address, v1::JoinTokenReply& out) {
  SWARM_ASSIGN_OR_RETURN(const std::string digest, security::digest_of(cluster.ca_certificate));
  out.set_token(security::format_join_token({.digest = digest, .secret = secret}));
  out.set_manager_address(address);
  return absl::OkStatus();
}

void join_token(std::shared_ptr<Gateway> gateway, const Caller& caller,
                const v1::JoinTokenRequest& request, StoreReply<v1::JoinTokenReply> reply) {
  const Result<model::Role> role = wire::decode(request.role());
  if (!role.ok()) {
    reply(role.status());
    return;
  }
  const std::string address = gateway->leader().address;
  const auto show = [address, role = *role](const View& view, v1::JoinTokenReply& out) {
    const model::Cluster& cluster = *view.cluster();
    return fill_token(
        cluster,
        role == model::Role::manager ? cluster.manager_token_secret : cluster.worker_token_secret,
        address, out);
  };
  if (!request.rotate()) {
    answer_from_store<v1::JoinTokenReply>(
        std::move(gateway),
        [show](const View& view, Gateway&, v1::JoinTokenReply& out) { return show(view, out); },
        std::move(reply));
    return;
  }
  change_store<v1::JoinTokenReply>(
      *gateway, caller,
      [address, role = *role](const Context& context,
                              v1::JoinTokenReply& out) -> Result<ChangeSet> {
        const std::string secret = security::random_secret();
        SWARM_ASSIGN_OR_RETURN(ChangeSet changes,
                               control::rotate_join_token(context, role, secret));
        SWARM_RETURN_IF_ERROR(fill_token(*context.view.cluster(), secret, address, out));
        return changes;
      },
      show, std::move(reply));
}

constexpr LeaderMethod<v1::SwarmInspectRequest, v1::SwarmInspectReply> kInspect{
    "/swarm.v1.Swarm/Inspect", Repeat::freely, reading<inspect>};
constexpr LeaderMethod<v1::JoinTokenRequest, v1::JoinTokenReply> kJoinToken{
    "/swarm.v1.Swarm/JoinToken", Repeat::once, join_token};

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
