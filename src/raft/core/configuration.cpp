#include "raft/core/configuration.h"

#include <algorithm>
#include <iterator>

namespace swarm::raft {

namespace {

std::string name(MemberId id) {
  return "member " + std::to_string(id.value());
}

auto position_of(std::vector<Member>& members, MemberId id) {
  return std::lower_bound(members.begin(), members.end(), id,
                          [](const Member& member, MemberId wanted) { return member.id < wanted; });
}

Status add_learner(Configuration& to, const MembershipChange& change) {
  if (change.id.is_empty()) {
    return absl::InvalidArgumentError("a member needs an id that is not 0");
  }
  if (to.is_removed(change.id)) {
    return absl::FailedPreconditionError(name(change.id) +
                                         " was removed; it must join again with a new id");
  }
  const auto place = position_of(to.members, change.id);
  if (place != to.members.end() && place->id == change.id) {
    return absl::AlreadyExistsError(name(change.id) + " is in the group already");
  }
  to.members.insert(place, Member{change.id, change.address, true});
  return absl::OkStatus();
}

Status remove(Configuration& to, std::vector<Member>::iterator member) {
  if (!member->is_learner && to.voters().size() == 1) {
    return absl::FailedPreconditionError(name(member->id) +
                                         " is the last voter; add another manager first");
  }
  to.removed.insert(std::lower_bound(to.removed.begin(), to.removed.end(), member->id), member->id);
  to.members.erase(member);
  return absl::OkStatus();
}

Status apply_change(Configuration& to, const MembershipChange& change) {
  if (change.kind == MembershipChange::Kind::add_learner) {
    return add_learner(to, change);
  }
  const auto member = position_of(to.members, change.id);
  if (member == to.members.end() || member->id != change.id) {
    return absl::NotFoundError(name(change.id) + " is not in the group");
  }
  switch (change.kind) {
    case MembershipChange::Kind::promote:
      if (!member->is_learner) {
        return absl::AlreadyExistsError(name(change.id) + " is a voter already");
      }
      member->is_learner = false;
      break;
    case MembershipChange::Kind::set_address:
      member->address = change.address;
      break;
    case MembershipChange::Kind::remove:
      return remove(to, member);
    case MembershipChange::Kind::add_learner:
      break;
  }
  return absl::OkStatus();
}

std::vector<Member> voting_members(const Configuration& configuration) {
  std::vector<Member> voters = configuration.members;
  std::erase_if(voters, [](const Member& member) { return member.is_learner; });
  return voters;
}

size_t voters_that_differ(const Configuration& from, const Configuration& to) {
  const std::vector<MemberId> before = from.voters();
  const std::vector<MemberId> after = to.voters();
  std::vector<MemberId> different;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(different));
  return different.size();
}

}  // namespace

const Member* Configuration::find(MemberId id) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [id](const Member& member) { return member.id == id; });
  return found == members.end() ? nullptr : &*found;
}

std::vector<MemberId> Configuration::voters() const {
  std::vector<MemberId> result;
  for (const Member& member : members) {
    if (!member.is_learner) {
      result.push_back(member.id);
    }
  }
  return result;
}

bool Configuration::is_voter(MemberId id) const {
  const Member* const member = find(id);
  return (member != nullptr && !member->is_learner) ||
         std::any_of(outgoing.begin(), outgoing.end(),
                     [id](const Member& leaving) { return leaving.id == id; });
}

bool Configuration::is_removed(MemberId id) const {
  return std::binary_search(removed.begin(), removed.end(), id);
}

Result<Configuration> apply_changes(const Configuration& from, const MembershipChanges& changes) {
  if (from.is_joint()) {
    return absl::FailedPreconditionError("a joint membership change is not finished yet");
  }
  Configuration to = from;
  for (const MembershipChange& change : changes) {
    SWARM_RETURN_IF_ERROR(apply_change(to, change));
  }
  if (voters_that_differ(from, to) > 1) {
    to.outgoing = voting_members(from);
  }
  return to;
}

}  // namespace swarm::raft
