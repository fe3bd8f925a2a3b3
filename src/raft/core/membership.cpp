// Who is in the group, who becomes a voter, and who leads next on request.

#include <algorithm>

#include "raft/core/codec.h"
#include "raft/core/mutants.h"
#include "raft/core/raft_core.h"

namespace swarm::raft {

void RaftCore::reset_progress() {
  progress_.clear();
  sync_progress();
  for (auto& [id, progress] : progress_) {
    progress.is_active = id == options_.self;
  }
  progress_.at(options_.self).on_accepted(stable_);
}

void RaftCore::sync_progress() {
  const Inflights empty(options_.max_inflight_messages, options_.max_inflight_bytes);
  for (const Member& member : configuration().members) {
    const auto [place, is_new] = progress_.try_emplace(member.id, after(log_.last()), empty);
    // A new member has until the next check of the quorum to answer.
    place->second.is_active |= is_new;
  }
  std::erase_if(progress_, [this](const auto& item) {
    return configuration().find(item.first) == nullptr && !quorum_.contains(item.first);
  });
}

Status RaftCore::may_change_membership() const {
  if (role_ != Role::leader) {
    return absl::FailedPreconditionError("this member does not lead");
  }
  // A leader that has committed nothing of its own yet may not know of a configuration that is
  // committed (Ongaro's correction of 2015 for single-server changes).
  if (log_.term_at(committed_) != term_ && !SWARM_MUTANT(change_before_own_commit)) {
    return absl::UnavailableError("the new leader has not committed an entry yet; try again");
  }
  if (log_.configurations().latest_index() > committed_ && !SWARM_MUTANT(two_changes_at_once)) {
    return absl::UnavailableError("another membership change is under way; try again");
  }
  if (is_transferring()) {
    return absl::UnavailableError("leadership is being handed over; try again");
  }
  return absl::OkStatus();
}

Result<Index> RaftCore::propose_membership(const MembershipChange& change) {
  SWARM_RETURN_IF_ERROR(may_change_membership());
  if (change.kind == MembershipChange::Kind::remove && change.id == options_.self) {
    return absl::FailedPreconditionError(
        "a leader cannot remove itself: hand leadership over first, then ask the new leader");
  }
  SWARM_ASSIGN_OR_RETURN(const Configuration next, apply_change(configuration(), change));
  append_configuration(next);
  return log_.last();
}

void RaftCore::append_configuration(const Configuration& configuration) {
  append_local(EntryKind::membership, std::make_shared<const std::string>(encode(configuration)));
}

// A learner becomes a voter when it can keep up: when the entries that were there at the beginning
// of a round reached it within an election timeout (thesis 4.2.1).
void RaftCore::maybe_promote(MemberId id, Progress& progress) {
  const Member* const member = configuration().find(id);
  if (member == nullptr || !member->is_learner || progress.state() != Progress::State::replicate ||
      !may_change_membership().ok()) {
    return;
  }
  if (progress.round_target.is_empty()) {
    progress.round_target = log_.last();
    progress.round_started = clock_;
  }
  if (progress.match() < progress.round_target) {
    return;
  }
  if (clock_ - progress.round_started > options_.election_ticks) {
    progress.round_target = Index();  // too slow: another round begins with the next answer
    return;
  }
  const MembershipChange promotion{MembershipChange::Kind::promote, id, {}};
  const Result<Configuration> next = apply_change(configuration(), promotion);
  if (next.ok()) {
    append_configuration(*next);
  }
}

Status RaftCore::transfer_leadership(MemberId to) {
  if (role_ != Role::leader) {
    return absl::FailedPreconditionError("this member does not lead");
  }
  if (is_transferring()) {
    return absl::UnavailableError("leadership is being handed over already");
  }
  if (to.is_empty()) {
    for (const auto& [id, progress] : progress_) {
      const bool may_lead = id != options_.self && quorum_.contains(id);
      if (may_lead && (to.is_empty() || progress.match() > progress_.at(to).match())) {
        to = id;
      }
    }
  }
  if (to.is_empty() || to == options_.self || !quorum_.contains(to)) {
    return absl::FailedPreconditionError("there is no other voter to hand leadership to");
  }
  transferee_ = to;
  transfer_elapsed_ = 0;
  transfer_sent_ = false;
  maybe_hand_over();
  return absl::OkStatus();
}

void RaftCore::maybe_hand_over() {
  if (!is_transferring() || transfer_sent_) {
    return;
  }
  const auto found = progress_.find(transferee_);
  if (found != progress_.end() && found->second.match() == log_.last()) {
    transfer_sent_ = true;
    send(transferee_, TimeoutNow{.term = term_});
  }
}

// It did not come about: go on leading, with what was proposed meanwhile.
void RaftCore::end_transfer() {
  transferee_ = MemberId();
  for (std::shared_ptr<const std::string>& data : std::exchange(delayed_proposals_, {})) {
    uncommitted_bytes_ -= std::min(uncommitted_bytes_, Entry::kOverhead + data->size());
    append_local(EntryKind::command, std::move(data));
  }
}

}  // namespace swarm::raft
