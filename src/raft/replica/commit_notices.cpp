#include "raft/replica/commit_notices.h"

#include <utility>
#include <variant>

namespace swarm::raft {

void CommitNotices::send(const Envelope& envelope) {
  const auto* const heartbeat = std::get_if<Heartbeat>(&envelope.message);
  if (heartbeat != nullptr && !heartbeat->wants_reply) {
    waiting_.insert_or_assign(envelope.to, *heartbeat);
    if (!timer_.is_set()) {
      timer_.set_after(kDelay, [this] { send_waiting(); });
    }
    return;
  }
  // An append follows entries that the member has acknowledged, and names a commit index that is at
  // least as high.
  if (heartbeat != nullptr || std::holds_alternative<AppendEntries>(envelope.message)) {
    waiting_.erase(envelope.to);
  }
  send_(envelope);
}

void CommitNotices::send_waiting() {
  for (const auto& [to, heartbeat] : std::exchange(waiting_, {})) {
    send_({to, heartbeat});
  }
}

}  // namespace swarm::raft
