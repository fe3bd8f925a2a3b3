#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "raft/core/types.h"

namespace swarm::raft {

// A committed entry that holds a command of the state machine. No-ops and membership changes never
// reach it.
struct CommittedEntry {
  Term term;
  Index index;
  std::shared_ptr<const std::string> data;
};

// What the replica does for: implemented by the manager over the store. All calls are on the raft
// loop and must return at once (post to the control loop).
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  // In order, each exactly once since the last snapshot. `up_to` covers entries that hold no
  // command. The replica must be told with Replica::applied when they are.
  virtual void apply(std::vector<CommittedEntry> entries, Index up_to) = 0;

  // This member leads in `term`, and everything committed before, including an entry of this term,
  // has been handed to `apply`.
  virtual void leadership_won(Term term) = 0;
  // Proposals of `term` that were not applied may or may not become committed.
  virtual void leadership_lost(Term term) = 0;
  // For redirecting callers; nobody during an election.
  virtual void leader_changed(std::optional<MemberId> leader) = 0;

  // Without a leader: the voters that do not answer, when those that do are too few to elect one.
  // Empty once that is over.
  virtual void quorum_changed(std::vector<MemberId> /*missing*/) {}

  // The state right after applying some index at least `at_least`: gives that index and a function
  // that yields the chunks (an empty one ends), to be called from any thread.
  using SnapshotSource = std::function<std::string()>;
  virtual void take_snapshot(
      Index at_least, absl::AnyInvocable<void(Index applied, SnapshotSource source)> done) = 0;

  // Replaces the state by a snapshot at `index`.
  virtual void restore(Index index, std::vector<std::string> chunks,
                       absl::AnyInvocable<void(Status)> done) = 0;
};

}  // namespace swarm::raft
