#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/random.h"
#include "base/time.h"
#include "raft/core/raft_core.h"

namespace swarm::test {

// What a fault can be aimed at: moments when a member has just promised something. Without aim the
// classic mistakes stay hidden, because chance alone hardly ever strikes within a message's way of
// the one event that counts.
enum class Moment : uint8_t {
  voted,
  became_candidate,
  became_leader,
  committed_first,  // of its own term
  changed_configuration,
  truncated,
  sends_snapshot,
  installed_snapshot,
  switched_segment,
  count,
};

// What a run is made of, drawn from its seed. Each class of faults is off in half of the runs, so
// that it does not hide what the others find; sizes and times reach from tiny to ordinary. Rates
// are chances per ten ticks.
struct RaftPlan {
  explicit RaftPlan(Random& random);
  std::string text() const;

  size_t members = 3;
  Duration tick{};
  int fault_ticks = 0;
  raft::CoreOptions limits;
  uint64_t snapshot_bytes = 0;
  uint64_t segment_bytes = 0;

  // Work.
  double propose_rate = 0;  // per tick
  double burst_rate = 0;
  double read_rate = 0;  // per tick
  size_t max_payload = 0;

  // Network.
  Duration min_delay{};
  Duration max_delay{};
  double drop = 0;
  double duplicate = 0;
  double replay = 0;        // delivered once more, much later
  size_t capacity = 0;      // messages on their way over one link; more are lost
  double clog_rate = 0;     // of a link
  double swizzle_rate = 0;  // clog links one by one, unclog them in another order
  double partition_rate = 0;
  bool partitions_one_way = false;
  double partition_end_rate = 0;
  double refuse = 0;  // chance that a crash leaves a system that refuses connections

  // Processes.
  double kill_rate = 0;
  double power_rate = 0;
  double blackout_rate = 0;  // all at once
  double pause_rate = 0;
  double jump_rate = 0;  // of a clock, forward
  bool has_drift = false;
  bool restarts_quickly = false;
  double recovery_crash = 0;  // power lost while it restarts

  // Disks.
  Duration disk_mean{};
  double stall_rate = 0;
  double sync_error_rate = 0;
  double write_error_rate = 0;
  double full_rate = 0;
  bool leaves_garbage = false;
  double rot_rate = 0;   // per crash
  double loss_rate = 0;  // per crash: the log is gone, or an older copy is in its place

  // Operators.
  double membership_rate = 0;
  double transfer_rate = 0;

  std::array<double, static_cast<size_t>(Moment::count)> aim{};  // chance of a strike per moment
};

}  // namespace swarm::test
