#include "raft/replica/membership_queue.h"

#include <utility>

namespace swarm::raft {

namespace {

// What a repeated request asks for may be so already.
bool is_done(const Configuration& configuration, const MembershipChange& change) {
  switch (change.kind) {
    case MembershipChange::Kind::remove:
      return configuration.is_removed(change.id);
    case MembershipChange::Kind::set_address: {
      const Member* const member = configuration.find(change.id);
      return member != nullptr && member->address == change.address;
    }
    case MembershipChange::Kind::add_learner:
    case MembershipChange::Kind::promote:
      return false;
  }
  return false;
}

}  // namespace

void MembershipQueue::add(const MembershipChange& change, TimePoint deadline, Done done) {
  waiting_.push_back({change, deadline, std::move(done)});
}

void MembershipQueue::drive(RaftCore& core, TimePoint now) {
  while (!proposed_ && !waiting_.empty()) {
    Waiting& next = waiting_.front();
    if (next.change.kind == MembershipChange::Kind::add_learner &&
        core.configuration().find(next.change.id) != nullptr) {
      next.change.kind = MembershipChange::Kind::set_address;
    }
    Result<Index> index = Index();
    if (!core.is_leader() || !is_done(core.configuration(), next.change)) {
      index = core.propose_membership(next.change);
    } else if (core.configuration_is_committed()) {
      index = Index();
    } else {
      return;  // as asked for, but not committed yet
    }
    if (absl::IsUnavailable(index.status()) && now < next.deadline) {
      return;
    }
    Done done = std::move(next.done);
    waiting_.pop_front();
    if (index.ok() && !index->is_empty()) {
      proposed_ = Proposed{*index, core.term(), std::move(done)};
    } else {
      done(index.status());
    }
  }
}

void MembershipQueue::on_committed(const Entry& entry) {
  if (!proposed_ || entry.index < proposed_->index) {
    return;
  }
  const bool is_ours = entry.index == proposed_->index && entry.term == proposed_->term;
  Done done = std::move(proposed_->done);
  proposed_.reset();
  done(is_ours ? absl::OkStatus()
               : absl::AbortedError("another leader replaced the membership change; try again"));
}

void MembershipQueue::on_leadership_lost() {
  std::deque<Waiting> waiting = std::exchange(waiting_, {});
  if (std::optional<Proposed> proposed = std::exchange(proposed_, std::nullopt)) {
    proposed->done(absl::UnavailableError(
        "leadership was lost; whether the membership changed is not known yet"));
  }
  for (Waiting& request : waiting) {
    request.done(absl::UnavailableError("leadership was lost; ask the new leader"));
  }
}

}  // namespace swarm::raft
