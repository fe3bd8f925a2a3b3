#include "api/server/forwarding.h"

#include <grpcpp/client_context.h>

#include "api/grpc_status.h"
#include "api/metadata.h"

namespace swarm::api {

void mark_forwarded(grpc::ClientContext& context, const model::NodeId& node) {
  context.AddMetadata(kForwardedKey, "1");
  if (!node.is_empty()) {
    context.AddMetadata(kNodeKey, node.value());
  }
}

Verdict judge(const grpc::ClientContext& context, const grpc::Status& status, bool is_read) {
  if (status.ok()) {
    return Verdict::answered;
  }
  // Never an answer of ours: a server that stops ends its calls with it.
  if (status.error_code() == grpc::StatusCode::CANCELLED) {
    return is_read ? Verdict::try_again : Verdict::unknown;
  }
  const auto& trailer = context.GetServerTrailingMetadata();
  if (trailer.count(kNotLeaderKey) > 0) {
    return Verdict::try_again;
  }
  if (trailer.count(kAnswerKey) > 0) {
    const bool may_change = status.error_code() == grpc::StatusCode::UNAVAILABLE && is_read;
    return may_change ? Verdict::try_again : Verdict::answered;
  }
  if (is_not_connected(status)) {
    return Verdict::try_again;
  }
  const bool is_lost = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                       status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (!is_lost) {
    return Verdict::answered;
  }
  return is_read ? Verdict::try_again : Verdict::unknown;
}

Status no_leader() {
  return absl::UnavailableError(
      "the swarm has no leader: fewer than a quorum of managers can be reached; start the managers "
      "that are down, then try again");
}

Status outcome_unknown() {
  return absl::UnavailableError(
      "the leader went away before it answered: whether the change was made is not known; look, "
      "then "
      "try again");
}

}  // namespace swarm::api
