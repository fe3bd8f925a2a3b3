// What a leader does for its members.

#include <algorithm>
#include <set>

#include "raft/core/mutants.h"
#include "raft/core/raft_core.h"

namespace swarm::raft {

// Nothing when this member does not lead or `from` is not in the group.
Progress* RaftCore::heard_from(MemberId from) {
  const auto found = progress_.find(from);
  if (role_ != Role::leader || found == progress_.end()) {
    return nullptr;
  }
  found->second.is_active = true;
  found->second.heard_at = clock_;
  return &found->second;
}

void RaftCore::handle(MemberId from, const AppendReply& reply) {
  Progress* const progress = heard_from(from);
  if (progress == nullptr || reply.index > log_.last()) {
    return;
  }
  if (reply.is_rejected) {
    const Index agree_at_most = log_.conflict_hint(reply.hint_index, reply.hint_term).first;
    progress->on_rejected(reply.index, agree_at_most);
    return;
  }
  const Index match_before = progress->match();
  if (progress->on_accepted(reply.index)) {
    if (progress->match() > match_before) {
      progress->moved_at = clock_;
    }
    maybe_commit();
    maybe_hand_over();
    maybe_promote(from, *progress);
  }
}

void RaftCore::handle(MemberId from, const HeartbeatReply& reply) {
  Progress* const progress = heard_from(from);
  if (progress == nullptr) {
    return;
  }
  progress->on_heartbeat_reply();
  watch_peer(from, *progress);
  progress->wants_nudge = progress->match() < log_.last();
  progress->read_confirmed = std::max(progress->read_confirmed, reply.read_position);
  confirm_reads();
  maybe_promote(from, *progress);
}

void RaftCore::handle(MemberId from, const SnapshotPartReply& reply) {
  if (heard_from(from) != nullptr) {
    effects_.part_replies.push_back({from, reply});
  }
}

void RaftCore::on_snapshot_sent(MemberId to) {
  const auto found = progress_.find(to);
  if (found != progress_.end() && found->second.state() == Progress::State::snapshot) {
    found->second.become_probe();
  }
}

void RaftCore::on_peer_refused(MemberId peer) {
  if (role_ == Role::leader) {
    const auto found = progress_.find(peer);
    if (found != progress_.end() && found->second.state() == Progress::State::replicate) {
      found->second.become_probe();
    }
    return;
  }
  if (peer == leader_) {
    // Whoever saw the same refusal grants at once; whoever still hears the leader does not.
    set_leader(MemberId());
    ack_owed_.reset();
    effects_.campaign_soon = may_campaign();
  }
}

void RaftCore::tick_leader() {
  if (++elapsed_ >= options_.election_ticks) {
    elapsed_ = 0;
    check_quorum();
  }
  if (role_ != Role::leader) {
    return;
  }
  if (is_transferring() && ++transfer_elapsed_ >= options_.election_ticks) {
    end_transfer();
  }
  check_stalls();
  if (role_ == Role::leader) {
    broadcast_heartbeat();
  }
}

// A leader that a quorum does not answer steps down: it could not commit anything, and another may
// lead already.
void RaftCore::check_quorum() {
  std::map<MemberId, bool> active;
  std::set<MemberId> reached;
  for (auto& [id, progress] : progress_) {
    active[id] = id == options_.self || progress.is_active;
    if (active[id]) {
      reached.insert(id);
    }
    progress.is_active = false;
  }
  if (quorum_.tally(active) != VoteResult::won && !SWARM_MUTANT(no_check_quorum)) {
    become_follower(term_, MemberId());
    quorum_watch_.lose(reached, quorum_);
  }
}

void RaftCore::broadcast_heartbeat() {
  for (auto& [id, progress] : progress_) {
    if (id != options_.self) {
      send_heartbeat(id, progress, true);
    }
  }
}

void RaftCore::send_heartbeat(MemberId to, Progress& progress, bool wants_reply) {
  const Index commit = SWARM_MUTANT(heartbeat_commits_unmatched)
                           ? committed_
                           : std::min(progress.match(), committed_);
  progress.commit_sent = std::max(progress.commit_sent, commit);
  send(to, Heartbeat{.term = term_,
                     .commit = commit,
                     .read_position = reads_.position(),
                     .wants_reply = wants_reply,
                     .acknowledged = progress.match(),
                     .acknowledged_term = log_.term_at(progress.match()).value_or(Term())});
}

// One append per peer for everything proposed in this batch, and word of a new commit index to
// those who would otherwise wait for the next tick to apply it.
void RaftCore::flush_leader() {
  leave_joint();
  if (role_ != Role::leader) {
    return;
  }
  for (auto& [id, progress] : progress_) {
    if (id == options_.self) {
      continue;
    }
    send_appends(id, progress);
    if (progress.state() == Progress::State::replicate &&
        progress.commit_sent < std::min(progress.match(), committed_)) {
      send_heartbeat(id, progress, false);
    }
  }
}

void RaftCore::send_appends(MemberId to, Progress& progress) {
  while (progress.may_send()) {
    const Index previous = before(progress.next());
    const std::optional<Term> previous_term = log_.term_at(previous);
    if (!previous_term) {
      if (progress.is_active) {
        progress.become_snapshot(log_.base());
        effects_.snapshots.push_back({to});
      }
      return;
    }
    const bool has_entries = progress.next() <= log_.last();
    if (!has_entries && progress.state() == Progress::State::replicate && !progress.wants_nudge) {
      return;
    }
    AppendEntries append{.term = term_,
                         .previous_index = previous,
                         .previous_term = *previous_term,
                         .commit = committed_,
                         .entries = {}};
    uint64_t bytes = 0;
    if (has_entries) {
      append.entries = log_.slice(progress.next(), log_.last(), options_.max_append_bytes);
      for (const Entry& entry : append.entries) {
        bytes += entry.bytes();
      }
    }
    const Index last(previous.value() + append.entries.size());
    progress.on_sent(last, bytes, has_entries);
    progress.commit_sent = std::max(progress.commit_sent, std::min(committed_, last));
    send(to, std::move(append));
    if (!has_entries) {
      return;
    }
  }
}

// Only an entry of this term may be counted; it commits all before it (Raft 5.4.2).
void RaftCore::maybe_commit() {
  const Index reached(quorum_.reached([this](MemberId id) {
    if (SWARM_MUTANT(leader_counts_unsynced) && id == options_.self) {
      return log_.last().value();
    }
    const auto found = progress_.find(id);
    return found == progress_.end() ? 0 : found->second.match().value();
  }));
  if (reached > committed_ && (log_.term_at(reached) == term_ || SWARM_MUTANT(commit_old_term))) {
    commit_to(reached);
  }
}

bool RaftCore::is_reachable(MemberId id, const Progress& progress) const {
  return id == options_.self ||
         (progress.heard_at && clock_ - *progress.heard_at <= options_.election_ticks);
}

std::vector<MemberId> RaftCore::reachable() const {
  std::vector<MemberId> result;
  for (const auto& [id, progress] : progress_) {
    if (is_reachable(id, progress)) {
      result.push_back(id);
    }
  }
  return result;
}

}  // namespace swarm::raft
