// Who leads next on request, and when a leader had better not go on.

#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"

namespace swarm::raft {

// Of the other voters that answer; empty when there is none.
MemberId RaftCore::most_advanced() const {
  MemberId best;
  for (const auto& [id, progress] : progress_) {
    const bool may_lead = id != options_.self && quorum_.contains(id) && is_reachable(id, progress);
    if (may_lead && (best.is_empty() || progress.match() > progress_.at(best).match())) {
      best = id;
    }
  }
  return best;
}

Status RaftCore::transfer_leadership(MemberId to) {
  if (role_ != Role::leader) {
    return absl::FailedPreconditionError("this member does not lead");
  }
  if (is_transferring()) {
    return absl::UnavailableError("leadership is being handed over already");
  }
  if (to.is_empty()) {
    to = most_advanced();
  }
  if (to.is_empty() || to == options_.self || !quorum_.contains(to)) {
    return absl::FailedPreconditionError("there is no other voter to hand leadership to");
  }
  begin_transfer(to);
  return absl::OkStatus();
}

void RaftCore::begin_transfer(MemberId to) {
  transferee_ = to;
  transfer_elapsed_ = 0;
  transfer_sent_ = false;
  maybe_hand_over();
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
  if (leaves_office_) {
    step_down();
    return;
  }
  transferee_ = MemberId();
  for (Proposal& proposal : std::exchange(delayed_proposals_, {})) {
    uncommitted_bytes_ -= std::min(uncommitted_bytes_, Entry::kOverhead + proposal.data->size());
    append_proposal(std::move(proposal));
  }
}

// Hands leadership over, or gives it up when nobody takes it in time.
void RaftCore::leave_office() {
  if (leaves_office_) {
    return;
  }
  leaves_office_ = true;
  if (is_transferring()) {
    return;
  }
  const MemberId to = most_advanced();
  if (to.is_empty()) {
    step_down();
  } else {
    begin_transfer(to);
  }
}

// A leader whose disk or applier is stuck without an error would go on with its heartbeats and keep
// everyone from electing a better one (etcd#15247, swarmkit#1658).
void RaftCore::check_stalls() {
  if (role_ != Role::leader || leaves_office_ || quorum_.is_only(options_.self)) {
    return;
  }
  const bool is_storage_stuck =
      issued_ > acknowledged_ && clock_ - storage_moved_ >= options_.storage_stall_ticks;
  const bool is_apply_stuck =
      (!applying_.empty() || is_restoring_) && clock_ - apply_moved_ >= options_.apply_stall_ticks;
  if (!is_storage_stuck && !is_apply_stuck) {
    return;
  }
  const MemberId to = most_advanced();
  // When no disk does better than this one, a new leader would be no help.
  if (to.is_empty() || (!is_apply_stuck && progress_.at(to).match() <= stable_)) {
    return;
  }
  effects_.stall = is_storage_stuck ? Stall::storage : Stall::apply;
  leave_office();
}

// Heartbeats and entries can part ways: a stream that is stuck, an applier that hangs
// (grafana/pyroscope#5518). Begin anew with what is known for sure.
void RaftCore::watch_peer(MemberId id, Progress& progress) {
  const bool has_nothing_to_do =
      progress.match() >= log_.last() || progress.state() == Progress::State::snapshot;
  if (has_nothing_to_do) {
    progress.moved_at = clock_;
  } else if (clock_ - progress.moved_at >= options_.stuck_ticks) {
    progress.moved_at = clock_;
    progress.become_probe();
    effects_.stuck_peers.push_back(id);
  }
}

}  // namespace swarm::raft
