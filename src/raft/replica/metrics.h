#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "raft/core/progress.h"
#include "raft/core/types.h"

namespace swarm::raft {

// Of the last five to ten seconds; `last` of whenever that was.
struct LatencySummary {
  uint64_t count = 0;
  Duration last{};
  Duration mean{};
  Duration max{};
};

// Gathers durations for a LatencySummary. On one loop.
class LatencyWindow {
 public:
  void add(TimePoint now, Duration took);
  LatencySummary summary(TimePoint now) const;

 private:
  struct Half {
    TimePoint begun{};
    uint64_t count = 0;
    Duration sum{};
    Duration max{};
  };
  Half current_;
  Half before_;
  Duration last_{};
};

// What a leader knows of another member.
struct PeerMetrics {
  MemberId id;
  bool is_learner = false;
  bool is_reachable = false;  // heard from within the last election timeout
  Progress::State state = Progress::State::probe;
  Index match;
  Index next;
  size_t inflight_messages = 0;
  uint64_t inflight_bytes = 0;
};

// One member as it stands. A value: taken on the raft loop, to be shown anywhere.
struct ReplicaMetrics {
  Term term;
  Role role = Role::follower;
  MemberId leader;
  Index committed;
  Index applied;
  Index durable;  // in the log
  Index last;
  Index snapshot;  // where the log begins
  uint64_t log_bytes = 0;
  uint64_t uncommitted_bytes = 0;
  std::vector<PeerMetrics> peers;  // as leader
  LatencySummary fsync;            // of a group: queueing, writing and syncing
  LatencySummary apply;            // from being handed to apply until it is acknowledged
  LatencySummary loop_lag;         // of the raft loop; more than a tick is too much
};

}  // namespace swarm::raft
