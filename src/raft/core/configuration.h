#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "raft/core/entry.h"
#include "raft/core/types.h"

namespace swarm::raft {

// Who is in the group. An entry of kind `membership` holds a whole one, so that no member ever has
// to compute it from a difference. A value; the lists are sorted as said.
struct Configuration {
  std::vector<Member> members;  // by id
  // The voters of the configuration that is being left; empty unless the configuration is joint.
  // Nothing makes one yet, everything counts it.
  std::vector<MemberId> outgoing;
  // Oldest first. Ids are never reused: a member that was removed must not come back with its old
  // votes. The oldest are forgotten past kMaxRemoved.
  std::vector<MemberId> removed;

  bool operator==(const Configuration&) const = default;

  const Member* find(MemberId id) const;
  std::vector<MemberId> voters() const;
  // In either half of a joint configuration.
  bool is_voter(MemberId id) const;
  bool is_removed(MemberId id) const;

  static constexpr size_t kMaxRemoved = 4096;
};

// One step of membership. Each changes at most one voter, so that the quorums of the configurations
// before and after intersect.
struct MembershipChange {
  enum class Kind { add_learner, promote, remove, set_address };
  Kind kind = Kind::add_learner;
  MemberId id;
  std::string address;
};

// The configuration after `change`, or why it is refused: FAILED_PRECONDITION (a removed id, the
// last voter), NOT_FOUND, ALREADY_EXISTS.
Result<Configuration> apply_change(const Configuration& from, const MembershipChange& change);

// Where a log begins: everything up to `index` is in a snapshot.
struct SnapshotMeta {
  Index index;
  Term term;
  Configuration configuration;

  bool operator==(const SnapshotMeta&) const = default;
};

}  // namespace swarm::raft
