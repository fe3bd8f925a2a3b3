#include "api/server/forwarding.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <string>

#include "api/client/grpc_status.h"
#include "api/client/metadata.h"

namespace swarm::api {

void mark_forwarded(grpc::ClientContext& context, const Caller& caller) {
  context.AddMetadata(kForwardedKey, "1");
  if (!caller.node.is_empty()) {
    context.AddMetadata(kNodeKey, caller.node.value());
  }
  if (caller.request.number != 0) {
    context.AddMetadata(kRequestKey, std::to_string(caller.request.number));
  }
  if (caller.request.repeated_since.has_value()) {
    context.AddMetadata(kRepeatedSinceKey, std::to_string(*caller.request.repeated_since));
  }
}

Verdict judge(const grpc::ClientContext& context, const grpc::Status& status) {
  const auto& trailer = context.GetServerTrailingMetadata();
  switch (status.error_code()) {
    case grpc::StatusCode::CANCELLED:
      // Never an answer of ours: a server that stops ends its calls with it, and so does a caller
      // that gives one up.
      return Verdict::unknown;
    case grpc::StatusCode::UNAVAILABLE:
      // Of the leader, too: it was deposed before it could know.
      return trailer.count(kNotLeaderKey) > 0 || is_not_connected(status) ? Verdict::not_done
                                                                          : Verdict::unknown;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return trailer.count(kAnswerKey) > 0 ? Verdict::answered : Verdict::unknown;
    default:
      return Verdict::answered;
  }
}

Status no_leader() {
  return absl::UnavailableError(
      "the swarm has no leader: fewer than a quorum of managers can be reached; start the managers "
      "that are down, then try again");
}

Status outcome_unknown(const std::string& since) {
  return absl::UnavailableError(
      "the leader went away before it answered; whether the change was made is not known: look, "
      "then try again" +
      (since.empty() ? std::string() : ". Meanwhile " + since));
}

}  // namespace swarm::api
