#include "api/server/caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <charconv>

#include "api/client/metadata.h"
#include "api/server/server_core.h"
#include "security/roles.h"

namespace swarm::api {

namespace {

// Unknown for a peer that showed no certificate. What it showed, TLS has checked against our root.
Result<security::PeerIdentity> identity_of_peer(IdentityCache& identities,
                                                const grpc::CallbackServerContext& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) {
    return security::PeerIdentity{};
  }
  const auto certificates = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (certificates.empty()) {
    return security::PeerIdentity{};
  }
  return identities.identity_of(
      std::string_view(certificates.front().data(), certificates.front().size()));
}

std::string request_metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto& all = context.client_metadata();
  const auto found = all.find(key);
  return found == all.end() ? "" : std::string(found->second.data(), found->second.size());
}

// Zero is what is not there and what is no number.
uint64_t number_of(const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end ? number : 0;
}

model::RequestId request_of(const grpc::CallbackServerContext& context) {
  model::RequestId request{.number = number_of(request_metadata(context, kRequestKey))};
  if (const std::string since = request_metadata(context, kRepeatedSinceKey); !since.empty()) {
    request.repeated_since = number_of(since);
  }
  return request;
}

Status removed(const model::NodeId& node) {
  return absl::PermissionDeniedError("node " + node.value() +
                                     " was removed from the swarm: it must leave and join again");
}

}  // namespace

Result<Caller> admit(ServerCore& core, grpc::CallbackServerContext& context,
                     std::string_view method) {
  context.AddTrailingMetadata(kAnswerKey, "1");
  if (core.is_local()) {
    SWARM_RETURN_IF_ERROR(security::authorize_local(method));
    return Caller{.node = core.info().node};
  }
  SWARM_ASSIGN_OR_RETURN(const security::PeerIdentity peer,
                         identity_of_peer(core.identities(), context));
  SWARM_RETURN_IF_ERROR(security::authorize_remote(method, peer, core.swarm()));
  if (!peer.is_known()) {
    return Caller{};
  }
  if (const auto gateway = core.gateway(); gateway != nullptr && gateway->is_removed(peer.node)) {
    context.AddTrailingMetadata(kRemovedKey, "1");
    return removed(peer.node);
  }
  if (Strangers* const strangers = core.strangers();
      strangers != nullptr && !strangers->is_empty()) {
    strangers->show(context.peer());
  }
  Caller caller{.node = peer.node};
  const bool is_manager = peer.swarm == core.swarm() && peer.role == model::Role::manager;
  if (is_manager && request_metadata(context, kForwardedKey) == "1") {
    caller.is_forwarded = true;
    caller.node = model::NodeId(request_metadata(context, kNodeKey));
    caller.request = request_of(context);
  }
  return caller;
}

std::string host_of_peer(const std::string& peer) {
  const size_t scheme = peer.find(':');
  const size_t port = peer.rfind(':');
  if (scheme == std::string::npos || port <= scheme) {
    return "";
  }
  std::string host = peer.substr(scheme + 1, port - scheme - 1);
  // gRPC writes [::1] as %5B::1%5D.
  if (host.size() > 6 && host.starts_with("%5B") && host.ends_with("%5D")) {
    host = host.substr(3, host.size() - 6);
  }
  return host;
}

}  // namespace swarm::api
