// What is asked of a replica by its owner, and the answers.

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "raft/replica/raft_replica.h"

namespace swarm::raft {

namespace {

// A membership change that cannot be begun for so long is refused.
constexpr Duration kMembershipPatience = seconds(5);
// So much is not kept waiting for the disk: a batch of that size is worth its own way.
constexpr size_t kMaxHeldBytes = size_t{256} << 10;

void tell(Replica::ProposalDone done, ProposalOutcome outcome) {
  if (done != nullptr) {
    done(outcome);
  }
}

}  // namespace

// A leader sends the others what it writes itself: what is proposed while its own disk is at work
// becomes the next group of all. Passed on one by one, each would make the others sync for the
// first entries of a group and once more for the rest.
void RaftReplica::propose(Term term, std::string data, ProposalDone done) {
  if (!leads_in(term)) {
    tell(std::move(done), ProposalOutcome::dropped);
    return;
  }
  held_bytes_ += data.size();
  held_.push_back({term, std::move(data), std::move(done)});
  if (!holds_proposals()) {
    release_proposals();
    schedule_drive();
  }
}

bool RaftReplica::leads_in(Term term) const {
  return core_->is_leader() && core_->term() == term;
}

bool RaftReplica::holds_proposals() const {
  return core_->is_leader() && writer_->is_writing() && held_bytes_ < kMaxHeldBytes &&
         core_->has_room_for(held_bytes_);
}

void RaftReplica::release_proposals() {
  held_bytes_ = 0;
  for (HeldProposal& held : std::exchange(held_, {})) {
    if (leads_in(held.term)) {
      propose_now(held.term, std::move(held.data), std::move(held.done));
    } else {
      tell(std::move(held.done), ProposalOutcome::dropped);
    }
  }
}

void RaftReplica::propose_now(Term term, std::string data, ProposalDone done) {
  const uint64_t id = done == nullptr ? 0 : ++last_proposal_;
  const Status proposed = core_->propose(std::make_shared<const std::string>(std::move(data)), id);
  if (proposed.ok()) {
    if (done != nullptr) {
      proposals_.emplace(id, std::move(done));
    }
  } else if (done != nullptr) {
    done(ProposalOutcome::dropped);
  } else {
    // Whoever proposed builds the next on this one: to go on leading without it would be wrong.
    log::error("leadership was given up",
               {{"term", term.value()}, {"reason", std::string(proposed.message())}});
    core_->step_down();
  }
}

void RaftReplica::finish_proposals(const std::vector<ProposalVerdict>& verdicts) {
  for (const ProposalVerdict& verdict : verdicts) {
    auto proposal = proposals_.extract(verdict.id);
    SWARM_CHECK(!proposal.empty(), "a proposal was answered twice");
    proposal.mapped()(verdict.outcome);
  }
}

void RaftReplica::applied(Index index) {
  core_->on_applied(index);
  while (!applying_.empty() && applying_.front().up_to <= index) {
    apply_.add(loop_.now(), loop_.now() - applying_.front().at);
    applying_.pop_front();
  }
  serve_reads();
  schedule_drive();
}

void RaftReplica::confirm_leadership(absl::AnyInvocable<void(Status)> done) {
  if (!core_->is_leader()) {
    done(absl::UnavailableError("this manager does not lead; try again"));
    return;
  }
  add_read([done = std::move(done)](const Result<Index>& index) mutable { done(index.status()); },
           false);
}

void RaftReplica::read_index(absl::AnyInvocable<void(Result<Index>)> done) {
  add_read(std::move(done), true);
}

void RaftReplica::add_read(absl::AnyInvocable<void(Result<Index>)> done, bool waits_for_apply) {
  const uint64_t id = ++last_read_;
  reads_.emplace(id, Read{std::move(done), waits_for_apply});
  core_->read_index(id);
  schedule_drive();
}

void RaftReplica::finish_reads(const Effects& effects) {
  for (const ReadyRead& ready : effects.reads_ready) {
    auto read = reads_.extract(ready.id);
    SWARM_CHECK(!read.empty(), "a read was answered twice");
    if (read.mapped().waits_for_apply) {
      confirmed_reads_.emplace(ready.index, std::move(read.mapped().done));
    } else {
      read.mapped().done(ready.index);
    }
  }
  for (const uint64_t id : effects.reads_failed) {
    auto read = reads_.extract(id);
    SWARM_CHECK(!read.empty(), "a read was answered twice");
    read.mapped().done(absl::UnavailableError("no manager leads at the moment; try again"));
  }
  serve_reads();
}

void RaftReplica::serve_reads() {
  const Index applied = core_->applied();
  while (!confirmed_reads_.empty() && confirmed_reads_.begin()->first <= applied) {
    auto read = confirmed_reads_.extract(confirmed_reads_.begin());
    read.mapped()(applied);
  }
}

void RaftReplica::add_member(Member member, absl::AnyInvocable<void(Status)> done) {
  change_members({{MembershipChange::Kind::add_learner, member.id, std::move(member.address)}},
                 std::move(done));
}

void RaftReplica::remove_member(MemberId member, absl::AnyInvocable<void(Status)> done) {
  change_members({{MembershipChange::Kind::remove, member, std::string()}}, std::move(done));
}

void RaftReplica::change_members(MembershipChanges changes, absl::AnyInvocable<void(Status)> done) {
  membership_.add(std::move(changes), loop_.now() + kMembershipPatience, std::move(done));
  schedule_drive();
}

void RaftReplica::transfer_leadership(MemberId to, absl::AnyInvocable<void(Status)> done) {
  const Status begun = core_->transfer_leadership(to);
  if (!begun.ok()) {
    done(begun);
    return;
  }
  transfer_done_ = std::move(done);
  schedule_drive();
}

void RaftReplica::finish_transfer() {
  if (transfer_done_ == nullptr || core_->is_transferring()) {
    return;
  }
  auto done = std::exchange(transfer_done_, nullptr);
  done(core_->is_leader()
           ? absl::DeadlineExceededError("the other manager did not take over in time")
           : absl::OkStatus());
}

std::vector<Member> RaftReplica::members() const {
  return core_->configuration().members;
}

Replica::Progress RaftReplica::progress() const {
  Progress progress;
  progress.term = core_->term();
  progress.is_leader = core_->is_leader();
  progress.leader = core_->leader();
  progress.committed = core_->committed();
  progress.applied = core_->applied();
  progress.last = core_->log().last();
  progress.reachable = core_->reachable();
  return progress;
}

ReplicaMetrics RaftReplica::metrics() const {
  ReplicaMetrics metrics;
  metrics.term = core_->term();
  metrics.role = core_->role();
  metrics.leader = core_->leader();
  metrics.committed = core_->committed();
  metrics.applied = core_->applied();
  metrics.durable = core_->stable();
  metrics.last = core_->log().last();
  metrics.snapshot = newest_snapshot_;
  metrics.log_bytes = core_->log().bytes();
  metrics.uncommitted_bytes = core_->uncommitted_bytes();
  const TimePoint now = loop_.now();
  metrics.fsync = fsync_.summary(now);
  metrics.apply = apply_.summary(now);
  metrics.loop_lag = loop_lag_.summary(now);
  const std::vector<MemberId> reachable = core_->reachable();
  for (const auto& [id, progress] : core_->progress()) {
    if (id != options_.self) {
      metrics.peers.push_back(
          {.id = id,
           .is_learner = !core_->configuration().is_voter(id),
           .is_reachable = std::find(reachable.begin(), reachable.end(), id) != reachable.end(),
           .state = progress.state(),
           .match = progress.match(),
           .next = progress.next(),
           .inflight_messages = progress.inflights().messages(),
           .inflight_bytes = progress.inflights().bytes()});
    }
  }
  return metrics;
}

}  // namespace swarm::raft
