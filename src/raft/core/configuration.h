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
  // The voters of the configuration that is being left, by id; empty unless the configuration is
  // joint. With their addresses: those that leave are counted, and needed, until it is left.
  std::vector<Member> outgoing;
  // By id. Ids are never reused: a member that was removed must not come back with its old votes.
  // None is ever forgotten; one costs less than ten bytes. Those that are outgoing still are heard.
  std::vector<MemberId> removed;

  bool operator==(const Configuration&) const = default;

  bool is_joint() const { return !outgoing.empty(); }
  const Member* find(MemberId id) const;
  std::vector<MemberId> voters() const;
  // In either half of a joint configuration.
  bool is_voter(MemberId id) const;
  bool is_removed(MemberId id) const;
};

// What is asked for. Several may be asked for at once (MembershipChanges).
struct MembershipChange {
  enum class Kind { add_learner, promote, remove, set_address };
  Kind kind = Kind::add_learner;
  MemberId id;
  std::string address;
};

using MembershipChanges = std::vector<MembershipChange>;

// The configuration after `changes`, or why they are refused: INVALID_ARGUMENT,
// FAILED_PRECONDITION (a removed id, the last voter, a joint configuration), NOT_FOUND,
// ALREADY_EXISTS.
//
// One voter more or less leaves every majority of the old configuration with a member of every
// majority of the new one. More than one at once does not, so the result is then joint: decisions
// need a majority of both until `outgoing` is cleared by another entry (Ongaro's thesis, 4.3).
Result<Configuration> apply_changes(const Configuration& from, const MembershipChanges& changes);

// Where a log begins: everything up to `index` is in a snapshot.
struct SnapshotMeta {
  Index index;
  Term term;
  Configuration configuration;

  bool operator==(const SnapshotMeta&) const = default;
};

}  // namespace swarm::raft
