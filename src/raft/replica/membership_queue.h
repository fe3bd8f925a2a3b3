#pragma once

#include <deque>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "base/time.h"
#include "raft/core/raft_core.h"

namespace swarm::raft {

// Requests to change the membership, one at a time; one that is joint is done when it is left. A
// request waits while another change (perhaps a
// promotion that nobody asked for) is under way, but not for ever. On the raft loop.
class MembershipQueue {
 public:
  using Done = absl::AnyInvocable<void(Status)>;

  void add(MembershipChanges changes, TimePoint deadline, Done done);
  // Proposes the next if it can be. Call whenever the core may have moved.
  void drive(RaftCore& core, TimePoint now);
  // What was handed to apply, in order.
  void on_committed(const Entry& entry);
  // This member leads no longer: the outcome of what it proposed is unknown.
  void on_leadership_lost();

 private:
  struct Waiting {
    MembershipChanges changes;
    TimePoint deadline;
    Done done;
  };
  struct Proposed {
    Index index;
    Term term;
    bool is_joint;
    bool is_entered;  // the joint configuration is committed, the one that leaves it is not yet
    Done done;
  };
  std::deque<Waiting> waiting_;
  std::optional<Proposed> proposed_;
};

}  // namespace swarm::raft
