// Faults by chance.

#include <algorithm>
#include <utility>

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

void RaftSimulation::nemesis() {
  for (const auto& node : nodes_) {
    if (node->is_up()) {
      trouble(*node);
    }
  }
  if (random_.chance(plan_.blackout_rate)) {
    const bool loses_power = random_.chance(0.7);
    for (const auto& node : nodes_) {
      if (node->is_up()) {
        crash(*node, loses_power);
      }
    }
  }
  trouble_network();
  if (random_.chance(plan_.membership_rate)) {
    change_membership();
  }
  if (random_.chance(plan_.transfer_rate)) {
    transfer();
  }
}

void RaftSimulation::trouble(Node& node) {
  if (random_.chance(plan_.kill_rate)) {
    crash(node, false);
  } else if (random_.chance(plan_.power_rate)) {
    crash(node, true);
  } else if (random_.chance(plan_.pause_rate)) {
    pause(node, plan_.tick * (1 + random_.below(60)));
  } else if (random_.chance(plan_.stall_rate)) {
    stall(node);
  } else if (random_.chance(plan_.sync_error_rate)) {
    if (random_.chance(0.5)) {
      node.disk.lose_next_sync();
      reach(State::sync_lost);
    } else {
      node.disk.fail_sync_after(random_.below(4));
    }
  } else if (random_.chance(plan_.write_error_rate)) {
    node.disk.fail_writes(true);
  } else if (random_.chance(plan_.full_rate)) {
    fill_disk(node);
  } else if (random_.chance(plan_.jump_rate)) {
    node.loop.jump(plan_.tick * (1 + random_.below(200)));
  }
}

void RaftSimulation::pause(Node& node, Duration duration) {
  trace([&] { return describe(node) + " is stopped"; });
  // Not at the instant of a tick, at which the simulation looks: what waited comes in one after the
  // other.
  const Duration odd(1 + random_.below(1'000));
  node.owner.paused_until = std::max(node.owner.paused_until, world_.now() + duration + odd);
  if (duration > plan_.tick * 20) {
    reach(State::paused_past_election);
  }
}

void RaftSimulation::stall(Node& node) {
  trace([&] { return describe(node) + ": its disk stalls"; });
  node.disk_loop->stall_until(world_.now() + plan_.tick * (1 + random_.below(60)));
}

void RaftSimulation::fill_disk(Node& node) {
  trace([&] { return describe(node) + ": its disk is full"; });
  if (random_.chance(0.2)) {
    node.disk.run_out_at_next_sync();
    reach(State::sync_ran_out);
    return;
  }
  reach(State::full_disk_stalled);
  const bool refuses_all = random_.chance(0.3);
  if (refuses_all) {
    node.disk.refuse_writes(true);
  } else {
    node.disk.set_capacity(0);
  }
  const Duration limit = plan_.tick * 60;
  world_.schedule(world_.now() + Duration(random_.below(static_cast<uint64_t>(limit.count()))),
                  [&node] {
                    node.disk.refuse_writes(false);
                    node.disk.set_capacity(std::numeric_limits<uint64_t>::max());
                  });
}

void RaftSimulation::trouble_network() {
  if (random_.chance(plan_.partition_rate)) {
    cut_some();
  } else if (random_.chance(plan_.partition_end_rate)) {
    network_.join_all();
  }
  if (random_.chance(plan_.clog_rate)) {
    const MemberId from(1 + random_.below(nodes_.size()));
    const MemberId to(1 + random_.below(nodes_.size()));
    network_.clog(from, to, world_.now() + plan_.tick * random_.below(60));
  }
  if (random_.chance(plan_.swizzle_rate)) {
    swizzle();
  }
}

// One member alone, two halves, two halves with a bridge between them, or single directions.
void RaftSimulation::cut_some() {
  network_.join_all();
  const MemberId pivot(1 + random_.below(nodes_.size()));
  const uint64_t kind = random_.below(4);
  const uint64_t direction = plan_.partitions_one_way ? random_.below(3) : 0;
  trace([&] {
    return "partition of kind " + std::to_string(kind) + " at member " +
           std::to_string(pivot.value());
  });
  for (const MemberId from : ids()) {
    for (const MemberId to : ids()) {
      const bool is_apart = (from < pivot) != (to < pivot);
      const bool is_bridged = from == pivot || to == pivot;
      const bool is_cut = kind == 0   ? (from == pivot) != (to == pivot)
                          : kind == 1 ? is_apart
                          : kind == 2 ? is_apart && !is_bridged
                                      : random_.chance(0.3);
      const bool is_open_way = (direction == 1 && from < to) || (direction == 2 && to < from);
      if (from != to && is_cut && !is_open_way) {
        network_.cut(from, to);
      }
    }
  }
}

// Clogs the links of a random set of members one after the other, and frees them in another order.
void RaftSimulation::swizzle() {
  TimePoint begin = world_.now();
  for (const MemberId id : ids()) {
    if (!random_.chance(0.5)) {
      continue;
    }
    const TimePoint end = begin + plan_.tick * (1 + random_.below(40));
    world_.schedule(begin, [this, id, end] {
      for (const MemberId other : ids()) {
        if (has_faults_) {
          network_.clog(id, other, end);
          network_.clog(other, id, end);
        }
      }
    });
    begin += plan_.tick * random_.below(10);
  }
}

}  // namespace swarm::test
