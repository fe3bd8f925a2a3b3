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
  const auto add = [&](MemberId id) {
    const auto [place, is_new] = progress_.try_emplace(id, after(log_.last()), empty);
    if (is_new) {
      // A new member has until the next check of the quorum to answer.
      place->second.is_active = true;
      place->second.moved_at = clock_;
    }
  };
  for (const Member& member : configuration().members) {
    add(member.id);
  }
  for (const MemberId voter : quorum_.voters()) {
    add(voter);  // perhaps an outgoing one
  }
  add(options_.self);
  std::erase_if(progress_, [this](const auto& item) {
    return item.first != options_.self && configuration().find(item.first) == nullptr &&
           !quorum_.contains(item.first);
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

Result<Index> RaftCore::propose_membership(const MembershipChanges& changes) {
  SWARM_ASSIGN_OR_RETURN(const Configuration next, check_changes(changes));
  append_configuration(next);
  return log_.last();
}

Result<Configuration> RaftCore::check_changes(const MembershipChanges& changes) const {
  SWARM_RETURN_IF_ERROR(may_change_membership());
  for (const MembershipChange& change : changes) {
    if (change.kind == MembershipChange::Kind::remove && change.id == options_.self) {
      return absl::FailedPreconditionError(
          "a leader cannot remove itself: hand leadership over first, then ask the new leader");
    }
    const auto progress = progress_.find(change.id);
    if (change.kind == MembershipChange::Kind::promote && progress != progress_.end() &&
        progress->second.match() < committed_) {
      return absl::UnavailableError("member " + std::to_string(change.id.value()) +
                                    " has not caught up yet; try again");
    }
  }
  SWARM_ASSIGN_OR_RETURN(Configuration next, apply_changes(configuration(), changes));
  SWARM_RETURN_IF_ERROR(check_reachable(next));
  return next;
}

// A change of voters that would leave the group without a quorum of members that answer could not
// even be undone.
Status RaftCore::check_reachable(const Configuration& next) const {
  if (next.voters() == configuration().voters()) {
    return absl::OkStatus();
  }
  const Quorum quorum(next);
  std::map<MemberId, bool> answers;
  std::string silent;
  for (const MemberId voter : quorum.voters()) {
    const auto progress = progress_.find(voter);
    answers[voter] = progress != progress_.end() && is_reachable(voter, progress->second);
    if (!answers[voter]) {
      silent += (silent.empty() ? "" : ", ") + std::to_string(voter.value());
    }
  }
  if (quorum.tally(answers) == VoteResult::won) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("would lose quorum: of the " +
                                std::to_string(quorum.voters().size()) +
                                " resulting voters, these are unreachable: " + silent +
                                "; bring them back or remove them first");
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
  const Result<Configuration> next =
      check_changes({{MembershipChange::Kind::promote, id, std::string()}});
  if (next.ok()) {
    append_configuration(*next);
  }
}

// A joint configuration is left as soon as it is committed.
void RaftCore::leave_joint() {
  if (!configuration_is_committed() || log_.term_at(committed_) != term_) {
    return;
  }
  if (configuration().is_joint()) {
    Configuration next = configuration();
    next.outgoing.clear();
    append_configuration(next);
  } else if (!quorum_.contains(options_.self)) {
    // It led out of a configuration that it is no longer part of, or has spread the newest log.
    leave_office();
  }
}

void RaftCore::announce() {
  if (!own_address_.empty()) {
    change_address(options_.self, own_address_);
  }
}

// Tried again with every announcement until it succeeds, so a reason why it cannot be done now
// needs no answer.
void RaftCore::change_address(MemberId id, const std::string& address) {
  const Member* const member = configuration().find(id);
  if (member == nullptr || member->address == address) {
    return;
  }
  if (role_ == Role::leader) {
    propose_membership({{MembershipChange::Kind::set_address, id, address}}).IgnoreError();
  } else if (id == options_.self) {
    // To all: whoever leads may be unable to call this member, so it does not know who that is.
    for (const Member& other : configuration().members) {
      if (other.id != options_.self) {
        send(other.id, AddressAnnouncement{.term = term_, .address = address});
      }
    }
  }
}

void RaftCore::handle(MemberId from, const AddressAnnouncement& announcement) {
  if (role_ == Role::leader) {
    change_address(from, announcement.address);
  }
}

}  // namespace swarm::raft
