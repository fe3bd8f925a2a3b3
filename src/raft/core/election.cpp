// Terms, votes and who leads.

#include "base/check.h"
#include "raft/core/mutants.h"
#include "raft/core/raft_core.h"

namespace swarm::raft {

// Adopts a higher term where the message calls for it. False when the message needs nothing more.
bool RaftCore::accepts_term_of(MemberId from, const Message& message) {
  const Term term = term_of(message);
  if (const auto* const request = std::get_if<VoteRequest>(&message)) {
    if (is_sticky(from, *request)) {
      return false;
    }
    if (request->is_pre_vote) {
      return true;  // answered whatever its term is, without adopting it
    }
  }
  if (const auto* const reply = std::get_if<VoteReply>(&message)) {
    if (reply->is_pre_vote && reply->is_granted) {
      return true;  // carries the term asked for, which nobody has yet
    }
  }
  if (std::holds_alternative<AddressAnnouncement>(message)) {
    return true;
  }
  if (term > term_) {
    become_follower(term, MemberId());
    return true;
  }
  if (term < term_) {
    answer_old_term(from, message);
    return (SWARM_MUTANT(late_vote_counts) && std::holds_alternative<VoteReply>(message)) ||
           (SWARM_MUTANT(late_ack_counts) && std::holds_alternative<AppendReply>(message));
  }
  return true;
}

// A member that hears a leader does not help to depose it (thesis 4.2.3); only the leader itself
// may ask for that, by handing over or by campaigning again.
bool RaftCore::is_sticky(MemberId from, const VoteRequest& request) const {
  return !SWARM_MUTANT(no_stickiness) && !request.is_transfer && !leader_.is_empty() &&
         leader_ != from && elapsed_ < options_.election_ticks;
}

// A leader of an old term, and a candidate that fell behind, learn the term: otherwise an isolated
// member whose term went up could never be led again (etcd#8243).
void RaftCore::answer_old_term(MemberId from, const Message& message) {
  if (std::holds_alternative<AppendEntries>(message) ||
      std::holds_alternative<Heartbeat>(message) || std::holds_alternative<SnapshotPart>(message)) {
    send(from, AppendReply{.term = term_, .is_rejected = true});
  } else if (std::holds_alternative<VoteRequest>(message)) {
    send(from, VoteReply{.term = term_});
  }
}

// A voter that only an uncommitted configuration drops may hold the one copy of it, and then nobody
// else can be elected: it campaigns until the configuration is committed (Ongaro's thesis, 4.2.2).
// So may a member that does not vote and holds more than a candidate whose configuration counts it.
bool RaftCore::may_campaign() const {
  const bool is_voter = quorum_.contains(options_.self) ||
                        log_.configurations().at(committed_).is_voter(options_.self);
  return role_ != Role::leader && !is_stalled_ && !is_lost_ && (is_voter || is_needed_elsewhere_);
}

void RaftCore::campaign() {
  if (role_ == Role::leader) {
    return;
  }
  set_leader(MemberId());
  votes_.clear();
  reset_election_timer();
  if (!may_campaign()) {
    role_ = Role::follower;
    return;
  }
  if (SWARM_MUTANT(no_pre_vote)) {
    start_election(false);
    return;
  }
  role_ = Role::pre_candidate;
  quorum_watch_.begin(clock_, options_.self);
  votes_[options_.self] = true;
  ask_for_votes(true, false);
  count_votes();
}

void RaftCore::start_election(bool is_transfer) {
  set_term(after(term_));
  role_ = Role::candidate;
  set_leader(MemberId());
  vote_ = options_.self;
  votes_.clear();
  ack_owed_.reset();
  reset_election_timer();
  // Both the requests and the own vote wait until this term and vote are durable: a leader that
  // forgot its term in a crash could be elected in it again, with other entries.
  ask_for_votes(false, is_transfer);
  if (SWARM_MUTANT(own_vote_before_durable)) {
    votes_[options_.self] = true;
    count_votes();
    return;
  }
  send_when_durable(options_.self, VoteReply{.term = term_, .is_granted = true});
}

void RaftCore::ask_for_votes(bool is_pre_vote, bool is_transfer) {
  const VoteRequest request{.term = is_pre_vote ? after(term_) : term_,
                            .last_index = log_.last(),
                            .last_term = log_.last_term(),
                            .is_pre_vote = is_pre_vote,
                            .is_transfer = is_transfer};
  for (const MemberId voter : quorum_.voters()) {
    if (voter == options_.self) {
      continue;
    }
    if (is_pre_vote || SWARM_MUTANT(own_vote_before_durable)) {
      send(voter, request);
    } else {
      send_when_durable(voter, request);
    }
  }
}

void RaftCore::count_votes() {
  switch (quorum_.tally(votes_)) {
    case VoteResult::pending:
      return;
    case VoteResult::lost:
      become_follower(term_, MemberId());
      return;
    case VoteResult::won:
      if (role_ == Role::pre_candidate) {
        start_election(false);
      } else {
        become_leader();
      }
      return;
  }
}

void RaftCore::become_leader() {
  SWARM_CHECK(role_ == Role::candidate && vote_ == options_.self, "only a candidate can win");
  role_ = Role::leader;
  set_leader(options_.self);
  log_term_ = term_;
  elapsed_ = 0;
  votes_.clear();
  uncommitted_bytes_ = log_.bytes_between(committed_, log_.last());
  reset_progress();
  // Entries of earlier terms become committed only below one of this term (Raft figure 8).
  append_local(EntryKind::noop, nullptr);
  noop_ = log_.last();
}

void RaftCore::handle(MemberId from, const VoteRequest& request) {
  const bool may_vote = vote_ == from || (request.is_pre_vote && request.term > term_) ||
                        (request.term == term_ && vote_.is_empty() && leader_.is_empty());
  const bool is_up_to_date = log_.is_up_to_date(request.last_index, request.last_term);
  const bool is_granted = may_vote && request.term >= term_ && from != options_.self &&
                          (SWARM_MUTANT(vote_ignores_log) || is_up_to_date);
  const VoteReply reply{.term = is_granted ? request.term : term_,
                        .is_pre_vote = request.is_pre_vote,
                        .is_granted = is_granted};
  is_needed_elsewhere_ |= !is_up_to_date;
  if (!is_granted || request.is_pre_vote) {
    // Says nothing that a crash could take back. Granting a pre-vote is no contact with a leader
    // and leaves the timer alone (hashicorp#609).
    send(from, reply);
    return;
  }
  vote_ = from;
  reset_election_timer();
  if (SWARM_MUTANT(vote_before_durable)) {
    send(from, reply);
    return;
  }
  send_when_durable(from, reply);
}

void RaftCore::handle(MemberId from, const VoteReply& reply) {
  const Role asked_as = reply.is_pre_vote ? Role::pre_candidate : Role::candidate;
  const Term asked_for = reply.is_pre_vote ? after(term_) : term_;
  if (role_ != asked_as ||
      (reply.is_granted && reply.term != asked_for && !SWARM_MUTANT(late_vote_counts))) {
    return;  // of an earlier attempt
  }
  votes_.emplace(from, reply.is_granted);
  count_votes();
}

void RaftCore::handle(MemberId, const TimeoutNow&) {
  if (may_campaign()) {
    start_election(true);
  }
}

}  // namespace swarm::raft
