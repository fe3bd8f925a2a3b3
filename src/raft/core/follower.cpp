// What a member does for its leader.

#include <algorithm>

#include "base/check.h"
#include "raft/core/mutants.h"
#include "raft/core/raft_core.h"

namespace swarm::raft {

// The sender leads the current term.
void RaftCore::follow(MemberId leader) {
  SWARM_CHECK(role_ != Role::leader && (leader_.is_empty() || leader_ == leader),
              "two leaders in term " + std::to_string(term_.value()) + ": " +
                  std::to_string(leader_.value()) + " and " + std::to_string(leader.value()));
  if (role_ != Role::follower || leader_ != leader) {
    become_follower(term_, leader);
  }
  elapsed_ = 0;
}

void RaftCore::handle(MemberId from, AppendEntries& append) {
  follow(from);
  if (append.previous_index < committed_) {
    owe_ack(committed_);
    return;
  }
  if (!log_.holds(append.previous_index, append.previous_term)) {
    const auto [index, term] = log_.conflict_hint(append.previous_index, append.previous_term);
    send(from, AppendReply{.term = term_,
                           .is_rejected = true,
                           .index = append.previous_index,
                           .hint_index = index,
                           .hint_term = term});
    return;
  }
  const Index agreed(append.previous_index.value() + append.entries.size());
  take_over_entries(append.entries);
  log_term_ = term_;
  commit_to(std::min(append.commit, SWARM_MUTANT(commit_past_agreed) ? log_.last() : agreed));
  owe_ack(agreed);
}

// A late append that ends before the log does must not cut it: only a conflict truncates.
void RaftCore::take_over_entries(std::vector<Entry>& entries) {
  bool changed = false;
  for (Entry& entry : entries) {
    if (log_.holds(entry.index, entry.term) && !SWARM_MUTANT(truncate_without_conflict)) {
      continue;
    }
    if (entry.index <= log_.last()) {
      SWARM_CHECK(entry.index > committed_,
                  "a leader overwrites committed entry " + std::to_string(entry.index.value()));
      changed |= log_.truncate_from(entry.index);
      stable_ = std::min(stable_, before(entry.index));
      unpersisted_ = std::min(unpersisted_, entry.index);
    }
    changed |= log_.append(std::move(entry));
  }
  if (changed) {
    on_configuration_changed();
  }
}

void RaftCore::handle(MemberId from, const Heartbeat& heartbeat) {
  follow(from);
  // Within a term a log only grows, so what was acknowledged to its leader is still there, unless
  // this member forgot it: an older copy of its disk came back.
  if (lacks(heartbeat.acknowledged, heartbeat.acknowledged_term) &&
      !SWARM_MUTANT(lost_state_ignored)) {
    give_up_for_good(heartbeat.acknowledged);
    return;
  }
  // The leader never names more than this member has acknowledged to it.
  commit_to(std::min(heartbeat.commit, log_.last()));
  if (heartbeat.wants_reply) {
    send(from, HeartbeatReply{.term = term_, .read_position = heartbeat.read_position});
  }
}

bool RaftCore::lacks(Index index, Term term) const {
  return index > log_.last() ||
         (index > log_.base() && !term.is_empty() && !log_.holds(index, term));
}

// A vote or an acknowledgement of a member that forgot others could lose what is committed.
void RaftCore::give_up_for_good(Index lost) {
  become_follower(term_, MemberId());
  is_lost_ = true;
  effects_.lost = lost;
}

void RaftCore::handle(MemberId from, SnapshotPart& part) {
  follow(from);
  if (part.meta.index <= committed_) {
    owe_ack(committed_);
    return;
  }
  effects_.parts.push_back({from, std::move(part)});
}

void RaftCore::owe_ack(Index index) {
  ack_owed_ = std::max(ack_owed_.value_or(Index()), index);
}

// One acknowledgement for everything that became durable since the last one.
void RaftCore::flush_ack() {
  const bool moved = std::exchange(stable_moved_, false);
  if (!ack_owed_ || role_ != Role::follower || leader_.is_empty()) {
    return;
  }
  const bool is_paid = *ack_owed_ <= stable_ || SWARM_MUTANT(ack_before_durable);
  if (!is_paid && !moved) {
    return;
  }
  send(leader_, AppendReply{.term = term_, .index = is_paid ? *ack_owed_ : stable_});
  if (is_paid) {
    ack_owed_.reset();
  }
}

}  // namespace swarm::raft
