#include "api/client/connection.h"

#include <utility>

#include "base/units.h"

namespace swarm::api {

ClientConnection::ClientConnection(Result<std::shared_ptr<grpc::Channel>> channel,
                                   std::string where, Duration deadline)
    : channel_(std::move(channel)), where_(std::move(where)), deadline_(deadline) {}

Status ClientConnection::explain(const CallOutcome& outcome) const {
  const bool is_cancelled = outcome.status.error_code() == grpc::StatusCode::CANCELLED;
  if (outcome.is_answer && !is_cancelled) {
    return from_grpc(outcome.status);
  }
  const std::string& text = outcome.status.error_message();
  if (outcome.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::DeadlineExceededError("swarmd at " + where_ + " did not answer within " +
                                       format_duration(deadline_));
  }
  if (!is_not_connected(outcome.status)) {
    const bool is_lost =
        is_cancelled || outcome.status.error_code() == grpc::StatusCode::UNAVAILABLE;
    return is_lost ? absl::UnavailableError("swarmd at " + where_ +
                                            " went away before it answered: whether this was done "
                                            "is not known; look, then try again")
                   : from_grpc(outcome.status);
  }
  if (text.find("Permission denied") != std::string::npos) {
    return absl::PermissionDeniedError("swarmd at " + where_ +
                                       " may not be spoken to by this user: run swarmctl as root, "
                                       "or as a member of the group that "
                                       "the socket belongs to");
  }
  return absl::UnavailableError("swarmd does not answer at " + where_ +
                                ": start it with `systemctl start swarmd` (or `swarmd &` as root), "
                                "or name another with --host");
}

}  // namespace swarm::api
