#include "raft_plan.h"

#include <algorithm>
#include <cstdio>

namespace swarm::test {

namespace {

class Draw {
 public:
  explicit Draw(Random& random) : random_(random) {}

  // Off in half of the runs.
  double rate(double most) { return random_.chance(0.5) ? random_.unit() * most : 0.0; }
  bool flip(double chance) { return random_.chance(chance); }
  uint64_t between(uint64_t least, uint64_t most) {
    return least + random_.below(most - least + 1);
  }
  Duration between(Duration least, Duration most) {
    return least + Duration(random_.below(static_cast<uint64_t>((most - least).count()) + 1));
  }

 private:
  Random& random_;
};

void draw_sizes(RaftPlan& plan, Draw& draw) {
  plan.members = draw.flip(0.5) ? 3 : draw.flip(0.4) ? 5 : draw.between(1, 7);
  plan.tick = draw.between(milliseconds(20), milliseconds(130));
  plan.fault_ticks = static_cast<int>(draw.between(140, 350));
  // Tiny limits force the rare paths; the defaults are what is shipped.
  if (draw.flip(0.4)) {
    plan.limits.max_append_bytes = draw.flip(0.5) ? 1 : draw.between(50, 500);
  }
  if (draw.flip(0.4)) {
    plan.limits.max_inflight_messages = draw.between(1, 6);
  }
  if (draw.flip(0.2)) {
    plan.limits.max_inflight_bytes = draw.between(100, 1000);
  }
  if (draw.flip(0.2)) {
    plan.limits.max_uncommitted_bytes = draw.between(300, 5000);
  }
  if (draw.flip(0.3)) {
    plan.limits.max_apply_bytes = draw.between(1, 300);
  }
  plan.snapshot_bytes = draw.flip(0.6) ? draw.between(200, 5'000) : 1 << 20;
  plan.segment_bytes = uint64_t{4'096} << draw.between(0, 3);
}

void draw_network(RaftPlan& plan, Draw& draw) {
  plan.min_delay = draw.between(microseconds(50), milliseconds(1));
  plan.max_delay = plan.min_delay + (draw.flip(0.3) ? draw.between(milliseconds(1), plan.tick * 6)
                                                    : draw.between(microseconds(100), plan.tick));
  plan.drop = draw.rate(0.25);
  plan.duplicate = draw.rate(0.2);
  plan.replay = draw.rate(0.1);
  plan.capacity = draw.flip(0.2) ? draw.between(2, 20) : 10'000;
  plan.clog_rate = draw.rate(0.3);
  plan.swizzle_rate = draw.flip(0.3) ? draw.rate(0.1) : 0;
  plan.partition_rate = draw.rate(0.3);
  plan.partitions_one_way = draw.flip(0.4);
  plan.partition_end_rate = 0.3 + draw.rate(0.5);
  plan.refuse = draw.rate(1);
}

void draw_faults(RaftPlan& plan, Draw& draw) {
  plan.kill_rate = draw.rate(0.1);
  plan.power_rate = draw.rate(0.15);
  plan.blackout_rate = draw.rate(0.03);
  plan.pause_rate = draw.rate(0.1);
  plan.jump_rate = draw.rate(0.1);
  plan.has_drift = draw.flip(0.3);
  plan.restarts_quickly = draw.flip(0.5);
  plan.recovery_crash = draw.rate(0.2);
  plan.disk_mean = draw.flip(0.3) ? draw.between(milliseconds(1), plan.tick)
                                  : draw.between(microseconds(1), milliseconds(2));
  plan.stall_rate = draw.rate(0.1);
  plan.sync_error_rate = draw.rate(0.03);
  plan.write_error_rate = draw.rate(0.03);
  plan.full_rate = draw.rate(0.08);
  plan.leaves_garbage = draw.flip(0.5);
  plan.rot_rate = draw.flip(0.3) ? draw.rate(0.2) : 0;
  plan.loss_rate = draw.flip(0.3) ? draw.rate(0.3) : 0;
  plan.membership_rate = draw.rate(0.15);
  plan.transfer_rate = draw.rate(0.15);
  for (double& chance : plan.aim) {
    chance = draw.rate(0.5);
  }
  // What takes several strikes in a row (Raft figure 8 takes three) needs one moment to be struck
  // nearly every time.
  if (draw.flip(0.15)) {
    plan.aim = {};
    plan.aim[draw.between(0, plan.aim.size() - 1)] = 0.9;
  }
}

}  // namespace

RaftPlan::RaftPlan(Random& random) {
  Draw draw(random);
  draw_sizes(*this, draw);
  draw_network(*this, draw);
  draw_faults(*this, draw);
  propose_rate = draw.flip(0.1) ? 2 : 0.1 + draw.rate(0.5);
  burst_rate = draw.rate(0.05);
  read_rate = draw.rate(0.2);
  max_payload = draw.flip(0.15) ? 3'000 : 60;
}

std::string RaftPlan::text() const {
  const auto ms = [](Duration duration) { return static_cast<double>(duration.count()) / 1e6; };
  char line[700];
  std::snprintf(
      line, sizeof(line),
      "%zu members, tick %.0f ms, %d ticks of faults, delay %.1f-%.1f ms, disk %.2f ms, append "
      "%llu "
      "B, inflight %zu, snapshot %llu B, segment %llu B; drop %.2f dup %.2f replay %.2f clog %.2f "
      "partition %.2f%s kill %.2f power %.2f blackout %.2f pause %.2f stall %.2f sync-error %.2f "
      "write-error %.2f full %.2f rot %.2f loss %.2f membership %.2f transfer %.2f",
      members, ms(tick), fault_ticks, ms(min_delay), ms(max_delay), ms(disk_mean),
      static_cast<unsigned long long>(limits.max_append_bytes), limits.max_inflight_messages,
      static_cast<unsigned long long>(snapshot_bytes),
      static_cast<unsigned long long>(segment_bytes), drop, duplicate, replay, clog_rate,
      partition_rate, partitions_one_way ? " one way" : "", kill_rate, power_rate, blackout_rate,
      pause_rate, stall_rate, sync_error_rate, write_error_rate, full_rate, rot_rate, loss_rate,
      membership_rate, transfer_rate);
  return line;
}

}  // namespace swarm::test
