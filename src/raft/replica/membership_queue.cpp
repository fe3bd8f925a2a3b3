#include "raft/replica/membership_queue.h"

#include <utility>

namespace swarm::raft {

namespace {

bool is_done(const Configuration& configuration, const MembershipChange& change) {
  const Member* const member = configuration.find(change.id);
  switch (change.kind) {
    case MembershipChange::Kind::remove:
      return configuration.is_removed(change.id);
    case MembershipChange::Kind::set_address:
      return member != nullptr && member->address == change.address;
    case MembershipChange::Kind::promote:
      return member != nullptr && !member->is_learner;
    case MembershipChange::Kind::add_learner:
      return false;
  }
  return false;
}

// What a repeated request asks for may be so already. To add a known member is to say where it is.
MembershipChanges missing(const Configuration& configuration, MembershipChanges changes) {
  for (MembershipChange& change : changes) {
    if (change.kind == MembershipChange::Kind::add_learner &&
        configuration.find(change.id) != nullptr) {
      change.kind = MembershipChange::Kind::set_address;
    }
  }
  std::erase_if(changes, [&](const auto& change) { return is_done(configuration, change); });
  return changes;
}

}  // namespace

void MembershipQueue::add(MembershipChanges changes, TimePoint deadline, Done done) {
  waiting_.push_back({std::move(changes), deadline, std::move(done)});
}

void MembershipQueue::drive(RaftCore& core, TimePoint now) {
  while (!proposed_ && !waiting_.empty()) {
    Waiting& next = waiting_.front();
    const MembershipChanges changes = missing(core.configuration(), next.changes);
    Result<Index> index = Index();
    if (!core.is_leader() || !changes.empty()) {
      index = core.propose_membership(changes);
    } else if (!core.configuration_is_committed() || core.configuration().is_joint()) {
      return;  // as asked for, but not committed yet
    }
    if (absl::IsUnavailable(index.status()) && now < next.deadline) {
      return;
    }
    Done done = std::move(next.done);
    waiting_.pop_front();
    if (index.ok() && !index->is_empty()) {
      const bool is_joint = core.configuration().is_joint();
      proposed_ = Proposed{*index, core.term(), is_joint, false, std::move(done)};
    } else {
      done(index.status());
    }
  }
}

void MembershipQueue::on_committed(const Entry& entry) {
  if (!proposed_ || entry.index < proposed_->index) {
    return;
  }
  const bool is_ours =
      entry.term == proposed_->term && (entry.index == proposed_->index || proposed_->is_entered);
  if (is_ours && proposed_->is_joint && !proposed_->is_entered) {
    proposed_->is_entered = true;
    return;
  }
  if (is_ours && entry.kind != EntryKind::membership) {
    return;
  }
  Done done = std::move(proposed_->done);
  proposed_.reset();
  done(is_ours ? absl::OkStatus()
               : absl::AbortedError("another leader replaced the membership change; try again"));
}

void MembershipQueue::on_leadership_lost() {
  if (waiting_.empty() && !proposed_) {
    return;  // as after nearly every event of a follower
  }
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
