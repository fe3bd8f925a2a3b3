#include "raft/core/raft_core.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "raft/core/mutants.h"

namespace swarm::raft {

RaftCore::RaftCore(const CoreOptions& options, InitialState initial, Random random)
    : options_(options),
      random_(std::move(random)),
      term_(initial.hard_state.term),
      vote_(initial.hard_state.vote),
      log_(initial.snapshot, std::move(initial.entries)),
      committed_(std::clamp(initial.hard_state.commit, log_.base(), log_.last())),
      stable_(log_.last()),
      handed_(log_.base()),
      quorum_(configuration()),
      persisted_(initial.hard_state),
      unpersisted_(after(log_.last())),
      read_context_(random_.next()) {
  SWARM_CHECK(!options_.self.is_empty(), "a member needs an id");
  SWARM_CHECK(log_.last_term() <= term_, "the log is from a later term than the hard state");
  effects_.configuration_changed = true;
  if (!log_.base().is_empty()) {
    effects_.restore = std::move(initial.snapshot);
    is_restoring_ = true;
  }
  reset_election_timer();
}

void RaftCore::step(MemberId from, Message message) {
  if (is_lost_) {
    return;
  }
  // Only once the removal is committed: if another leader truncates it, the member was never out,
  // and may be that leader.
  const Configuration& committed = log_.configurations().at(committed_);
  if (from != options_.self && committed.is_removed(from) && !committed.is_voter(from)) {
    return;
  }
  quorum_watch_.heard_from(from, quorum_);
  if (!accepts_term_of(from, message)) {
    return;
  }
  std::visit([this, from](auto& body) { handle(from, body); }, message);
}

void RaftCore::tick() {
  ++clock_;
  if (is_lost_) {
    return;
  }
  if (clock_ % options_.election_ticks == 0) {
    announce();
  }
  if (role_ == Role::leader) {
    tick_leader();
    return;
  }
  if (reads_.has_unconfirmed()) {
    ask_for_read_index();  // the question or its answer may be lost
  }
  ++elapsed_;
  quorum_watch_.tick(clock_, quorum_);
  if (elapsed_ >= timeout_) {
    campaign();
  }
}

Status RaftCore::propose(std::shared_ptr<const std::string> data, uint64_t id) {
  if (role_ != Role::leader) {
    return absl::FailedPreconditionError("this member does not lead");
  }
  if (!has_room_for(data->size())) {
    return absl::ResourceExhaustedError(
        "too much is waiting to be committed; try again when a quorum of managers answers");
  }
  if (is_transferring()) {
    // The old leader keeps them in order, and appends them if it goes on to lead.
    uncommitted_bytes_ += Entry::kOverhead + data->size();
    delayed_proposals_.push_back({id, std::move(data)});
    return absl::OkStatus();
  }
  append_proposal({id, std::move(data)});
  return absl::OkStatus();
}

void RaftCore::append_proposal(Proposal proposal) {
  append_local(EntryKind::command, std::move(proposal.data));
  if (proposal.id != 0) {
    proposed_.push_back({log_.last(), proposal.id});
  }
}

// What is committed stays so, and is reported when it is handed to apply.
void RaftCore::give_up_proposals() {
  while (!proposed_.empty() && proposed_.back().index > committed_) {
    effects_.verdicts.push_back({proposed_.back().id, ProposalOutcome::unknown});
    proposed_.pop_back();
  }
  for (const Proposal& proposal : std::exchange(delayed_proposals_, {})) {
    if (proposal.id != 0) {
      effects_.verdicts.push_back({proposal.id, ProposalOutcome::dropped});
    }
  }
}

void RaftCore::report_committed() {
  while (!proposed_.empty() && proposed_.front().index <= handed_) {
    effects_.verdicts.push_back({proposed_.front().id, ProposalOutcome::committed});
    proposed_.pop_front();
  }
}

void RaftCore::step_down() {
  if (role_ != Role::follower) {
    become_follower(term_, MemberId());
  }
}

void RaftCore::on_persisted(PersistSeq seq, LogMark mark) {
  SWARM_CHECK(seq <= issued_, "storage acknowledged what was never given to it");
  acknowledged_ = std::max(acknowledged_, seq);
  storage_moved_ = clock_;
  // A mark of another leader's log says nothing about what the log holds now.
  const Index durable = std::min(mark.index, log_.last());
  const bool is_of_this_log = mark.leader_term == log_term_ || SWARM_MUTANT(persist_ack_by_index);
  if (is_of_this_log && durable > stable_) {
    stable_ = durable;
    stable_moved_ = true;
    if (role_ == Role::leader) {
      progress_.at(options_.self).on_accepted(stable_);
      maybe_commit();
    }
  }
  while (!held_.empty() && held_.front().seq <= acknowledged_) {
    Envelope envelope = std::move(held_.front().envelope);
    held_.pop_front();
    if (term_of(envelope.message) != term_) {
      continue;
    }
    if (envelope.to == options_.self) {
      step(options_.self, std::move(envelope.message));
    } else {
      effects_.send.push_back(std::move(envelope));
    }
  }
}

void RaftCore::on_applied(Index index) {
  SWARM_CHECK(index <= handed_, "applied up to " + std::to_string(index.value()) +
                                    ", handed out up to " + std::to_string(handed_.value()));
  applied_ = std::max(applied_, index);
  apply_moved_ = clock_;
  while (!applying_.empty() && applying_.front().last <= index) {
    applying_bytes_ -= applying_.front().bytes;
    applying_.pop_front();
  }
  if (is_restoring_ && index == handed_) {
    is_restoring_ = false;
  }
}

void RaftCore::on_storage_stalled(bool is_stalled) {
  is_stalled_ = is_stalled;
  if (!is_stalled_) {
    return;
  }
  if (role_ == Role::leader) {
    leave_office();
  } else {
    step_down();
  }
}

void RaftCore::on_snapshot_saved(Index index, Term term) {
  SWARM_CHECK(index <= applied_, "a snapshot of what is not applied");
  marker_ = SnapshotMarker{index, term, marker_ && marker_->resets_log};
  release_to_ = index;
}

void RaftCore::compact(Index index) {
  SWARM_CHECK(index <= applied_, "entries are dropped that are not applied");
  log_.compact(index);
}

void RaftCore::on_snapshot_received(const SnapshotMeta& meta) {
  if (meta.index <= committed_) {
    owe_ack(committed_);
    return;
  }
  if (log_.holds(meta.index, meta.term) && !SWARM_MUTANT(snapshot_overwrites_newer_log)) {
    commit_to(meta.index);
    owe_ack(meta.index);
    return;
  }
  log_.restore(meta);
  log_term_ = term_;
  committed_ = meta.index;
  // The snapshot file is durable, and recovery prefers it to whatever the log holds.
  stable_ = meta.index;
  stable_moved_ = true;
  handed_ = meta.index;
  applying_.clear();
  applying_bytes_ = 0;
  is_restoring_ = true;
  apply_moved_ = clock_;
  unpersisted_ = after(meta.index);
  marker_ = SnapshotMarker{meta.index, meta.term, true};
  release_to_ = meta.index;
  effects_.restore = meta;
  on_configuration_changed();
  owe_ack(meta.index);
}

SnapshotMeta RaftCore::snapshot_meta(Index index) const {
  const std::optional<Term> term = log_.term_at(index);
  SWARM_CHECK(term, "a snapshot at index " + std::to_string(index.value()) +
                        ", which the log does not hold");
  return {index, *term, log_.configurations().at(index)};
}

Effects RaftCore::take_effects() {
  if (is_lost_) {
    Effects last;
    last.lost = effects_.lost;
    last.verdicts = std::exchange(effects_.verdicts, {});
    last.reads_failed = std::exchange(effects_.reads_failed, {});
    effects_ = {};
    return last;
  }
  flush_reads();
  if (role_ == Role::leader) {
    flush_leader();
  }
  take_persist();
  flush_ack();
  take_apply();
  report_committed();
  return std::exchange(effects_, {});
}

void RaftCore::send(MemberId to, Message message) {
  effects_.send.push_back({to, std::move(message)});
}

void RaftCore::send_when_durable(MemberId to, Message message) {
  waiting_.push_back({to, std::move(message)});
}

// The vote of a term survives every change of role within it (redpanda#14).
void RaftCore::become_follower(Term term, MemberId leader) {
  const bool has_led = role_ == Role::leader;
  if (term > term_) {
    set_term(term);
  }
  if (SWARM_MUTANT(vote_erased_on_step_down)) {
    vote_ = MemberId();
  }
  role_ = Role::follower;
  set_leader(leader);
  votes_.clear();
  ack_owed_.reset();
  reset_election_timer();
  if (has_led) {
    give_up_proposals();
    transferee_ = MemberId();
    leaves_office_ = false;
    progress_.clear();
    uncommitted_bytes_ = 0;
    noop_ = Index();
  }
}

void RaftCore::set_term(Term term) {
  SWARM_CHECK(term > term_, "a term went down");
  term_ = term;
  vote_ = MemberId();
}

void RaftCore::set_leader(MemberId leader) {
  if (leader != leader_) {
    fail_reads();
  }
  is_needed_elsewhere_ &= leader.is_empty();
  if (!leader.is_empty()) {
    quorum_watch_.found_leader();
  }
  leader_ = leader;
}

void RaftCore::reset_election_timer() {
  elapsed_ = 0;
  timeout_ = options_.election_ticks + random_.below(options_.election_ticks);
}

void RaftCore::commit_to(Index index) {
  if (index <= committed_) {
    return;
  }
  SWARM_CHECK(index <= log_.last(), "committed past the end of the log");
  if (role_ == Role::leader) {
    const uint64_t bytes = log_.bytes_between(committed_, index);
    uncommitted_bytes_ -= std::min(uncommitted_bytes_, bytes);
  }
  committed_ = index;
}

void RaftCore::append_local(EntryKind kind, std::shared_ptr<const std::string> data) {
  Entry entry{term_, after(log_.last()), kind, std::move(data)};
  uncommitted_bytes_ += entry.bytes();
  if (log_.append(std::move(entry))) {
    on_configuration_changed();
  }
}

void RaftCore::on_configuration_changed() {
  quorum_ = Quorum(configuration());
  effects_.configuration_changed = true;
  if (role_ == Role::leader) {
    sync_progress();
    maybe_commit();  // a smaller quorum may have been reached already (raft-rs#345)
    confirm_reads();
  }
}

void RaftCore::take_persist() {
  // The commit index on disk never names entries that a torn write could still take.
  const HardState state{term_, SWARM_MUTANT(vote_not_persisted) ? MemberId() : vote_,
                        std::min(committed_, stable_)};
  const LogMark mark{log_term_, log_.last()};
  const bool is_promise = state.term != persisted_.term || state.vote != persisted_.vote;
  // The log agrees with a new leader but no write says so yet: ask for an acknowledgement alone.
  const bool is_barrier = stable_ < log_.last() && mark != handed_mark_;
  if (is_promise || unpersisted_ <= log_.last() || marker_ || is_barrier) {
    PersistOp op;
    if (issued_ == acknowledged_) {
      storage_moved_ = clock_;
    }
    op.seq = ++issued_;
    op.mark = handed_mark_ = mark;
    if (state != persisted_) {
      op.hard_state = persisted_ = state;
    }
    op.entries = log_.slice(unpersisted_, log_.last(), std::numeric_limits<uint64_t>::max());
    op.snapshot = std::exchange(marker_, std::nullopt);
    op.release_to = std::exchange(release_to_, Index());
    unpersisted_ = after(log_.last());
    effects_.persist = std::move(op);
  }
  for (Envelope& envelope : std::exchange(waiting_, {})) {
    if (issued_ == acknowledged_) {
      effects_.send.push_back(std::move(envelope));
    } else {
      held_.push_back({issued_, std::move(envelope)});
    }
  }
}

void RaftCore::take_apply() {
  if (is_restoring_) {
    return;
  }
  const Index limit = std::min(committed_, stable_);
  uint64_t bytes = 0;
  while (handed_ < limit && applying_bytes_ + bytes < options_.max_apply_bytes) {
    handed_ = after(handed_);
    effects_.apply.push_back(log_.at(handed_));
    bytes += effects_.apply.back().bytes();
  }
  if (bytes > 0) {
    if (applying_.empty()) {
      apply_moved_ = clock_;
    }
    applying_.push_back({handed_, bytes});
    applying_bytes_ += bytes;
  }
}

}  // namespace swarm::raft
