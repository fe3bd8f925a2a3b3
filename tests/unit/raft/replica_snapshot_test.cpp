#include <set>

#include "replica_group.h"

namespace swarm::raft::test {
namespace {

TEST(Replica, TheLogIsCompactedAndARestartUsesTheSnapshot) {
  Group group;
  group.snapshot_log_bytes = 4000;
  Group::Node& node = group.start_first();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(group.write(node, "write " + std::to_string(i)));
  }
  EXPECT_GT(node.machine->snapshots, 0);
  EXPECT_LT(static_cast<RaftReplica&>(*node.replica).core().log().bytes(), 12'000u);
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }));
  EXPECT_EQ(node.machine->restores, 1);
  ASSERT_EQ(node.machine->texts.size(), 200u);
  EXPECT_EQ(node.machine->texts.back(), "write 199");
}

TEST(Replica, AMemberThatFellFarBehindGetsASnapshot) {
  Group group;
  group.snapshot_log_bytes = 4000;
  group.start_three();
  group.node(3).is_cut = true;
  group.world.run_for(seconds(2));  // for a member that is there, the entries would be kept
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(group.write(group.node(1), "write " + std::to_string(i)));
  }
  ASSERT_TRUE(group.write(group.node(1), std::string(1'200'000, 'y'))) << "more than one part";
  for (int i = 100; i < 200; ++i) {
    ASSERT_TRUE(group.write(group.node(1), "write " + std::to_string(i)));
  }
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return group.node(3).machine->texts.size() == 201; },
                                    seconds(30)));
  EXPECT_EQ(group.node(3).machine->restores, 1);
  ASSERT_TRUE(group.write(group.node(1), "after"));
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(3), "after"); }));
}

TEST(Replica, EntriesLeaveMemoryBeforeASnapshotCoversThem) {
  Group group;
  group.snapshot_log_bytes = 4000;
  group.start_three();
  Group::Node& leader = group.node(1);
  ASSERT_TRUE(group.write(leader, std::string(100'000, 'y')));
  ASSERT_TRUE(group.world.run_until([&] { return leader.machine->snapshots > 0; }));
  group.node(3).is_cut = true;
  group.world.run_for(seconds(2));
  const Index covered = leader.replica->metrics().snapshot;
  // Less than the snapshot: it would not be worth another.
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(group.write(leader, std::string(1000, 'z')));
  }
  const auto log_of = [&](uint64_t id) -> const RaftLog& {
    return static_cast<RaftReplica&>(*group.node(id).replica).core().log();
  };
  for (const uint64_t id : {1, 2}) {
    EXPECT_TRUE(group.world.run_until([&] { return log_of(id).bytes() <= 4000; })) << id;
    EXPECT_GT(log_of(id).base(), covered);
  }
  EXPECT_EQ(leader.replica->metrics().snapshot, covered);
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return group.node(3).machine->texts.size() == 51; },
                                    seconds(30)));
  EXPECT_EQ(group.node(3).machine->restores, 1);
  EXPECT_GT(leader.replica->metrics().snapshot, covered) << "made for who lacked the entries";
  ASSERT_TRUE(group.write(leader, std::string(5000, 'z')));
  EXPECT_TRUE(group.world.run_until([&] { return log_of(1).bytes() <= 6000; }));
}

// Parts of snapshots as they are sent to member 3.
struct Parts {
  explicit Parts(Group& group) {
    group.intercept = [this](MemberId from, MemberId to, const std::string& message) {
      const Result<Message> decoded = decode_message(message);
      const auto* const part = std::get_if<SnapshotPart>(&*decoded);
      if (part == nullptr || to != MemberId(3)) {
        return true;
      }
      if (sent.size() >= limit) {
        return false;
      }
      sent.push_back({from, part->meta.index, part->sequence});
      return true;
    };
  }
  struct Sent {
    MemberId from;
    Index index;
    uint64_t sequence;
  };
  std::vector<Sent> sent;
  size_t limit = 1000;
};

// Member 3 lacks some megabytes, which 1 and 2 have only in snapshots at the same index.
void leave_behind(Group& group) {
  group.snapshot_log_bytes = 4000;
  group.start_three();
  group.node(3).is_cut = true;
  group.world.run_for(seconds(2));
  for (int i = 0; i < 9; ++i) {  // snapshots after 1, 3 and 9
    ASSERT_TRUE(group.write(group.node(1), std::string(1'000'000, static_cast<char>('a' + i))));
  }
  group.world.run_for(seconds(1));
  for (const uint64_t id : {1, 2}) {
    const Replica& replica = *group.node(id).replica;
    ASSERT_EQ(replica.metrics().snapshot, replica.progress().last);
  }
}

bool has_everything(Group& group) {
  return group.node(3).machine->texts == group.node(1).machine->texts;
}

TEST(Replica, ASnapshotGoesOnWhereItBrokeOff) {
  Group group;
  leave_behind(group);
  Parts parts(group);
  parts.limit = 7;
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return parts.sent.size() == 7; }, seconds(10)));
  group.world.run_for(seconds(12));  // given up, tried again, given up
  parts.limit = 1000;
  ASSERT_TRUE(group.world.run_until([&] { return has_everything(group); }, seconds(60)));
  EXPECT_EQ(group.node(3).machine->restores, 1);
  std::map<uint64_t, int> times;
  for (const Parts::Sent& part : parts.sent) {
    ++times[part.sequence];
  }
  EXPECT_EQ(times.at(0), 1) << "the first parts were not sent again";
  EXPECT_LE(parts.sent.size(), times.size() + 2);
}

TEST(Replica, AnotherLeaderGoesOnWithTheSameSnapshot) {
  Group group;
  leave_behind(group);
  Parts parts(group);
  parts.limit = 7;
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return parts.sent.size() == 7; }, seconds(10)));
  group.node(1).replica->transfer_leadership(MemberId(2), [](const Status&) {});
  ASSERT_TRUE(group.world.run_until([&] { return group.node(2).machine->leads.has_value(); }));
  parts.limit = 1000;
  ASSERT_TRUE(group.world.run_until([&] { return has_everything(group); }, seconds(60)));
  EXPECT_EQ(group.node(3).machine->restores, 1);
  std::set<uint64_t> of_second;
  for (const Parts::Sent& part : parts.sent) {
    if (part.from == MemberId(2)) {
      of_second.insert(part.sequence);
    }
  }
  EXPECT_EQ(of_second.count(0), 1u) << "to ask where to go on";
  EXPECT_EQ(of_second.count(1), 0u);
  EXPECT_EQ(of_second.count(4), 0u);
  EXPECT_EQ(of_second.count(9), 1u);
}

TEST(Replica, PartsOfADifferentSnapshotUnderTheSameNameAreNotMixed) {
  Group group;
  leave_behind(group);
  Parts parts(group);
  parts.limit = 7;
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return parts.sent.size() == 7; }, seconds(10)));
  const auto count = [&] { return parts.sent.size(); };
  group.node(1).replica->transfer_leadership(MemberId(2), [](const Status&) {});
  ASSERT_TRUE(group.world.run_until([&] { return group.node(2).machine->leads.has_value(); }));
  // What the second leader sends differs from its second part on, as if states had diverged.
  const auto look = group.intercept;
  group.intercept = [&, look](MemberId from, MemberId to, const std::string& message) {
    Result<Message> decoded = decode_message(message);
    auto* const part = std::get_if<SnapshotPart>(&*decoded);
    if (part == nullptr || from != MemberId(2) || part->sequence == 0) {
      return look(from, to, message);
    }
    part->crc ^= 1;
    if (look(from, to, message)) {
      group.node(3).replica->receive(from, encode(*decoded));
    }
    return false;
  };
  parts.limit = 40;
  group.world.run_until([&] { return count() == 40; }, seconds(20));
  EXPECT_EQ(group.node(3).machine->restores, 0) << "nothing is put together of both";
  group.intercept = look;
  parts.limit = 1000;
  ASSERT_TRUE(group.world.run_until([&] { return has_everything(group); }, seconds(60)));
}

TEST(Replica, SnapshotsKeepToTheirRate) {
  Group group;
  group.snapshot_bytes_per_second = 2'000'000;
  leave_behind(group);
  const TimePoint begun = group.world.now();
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return has_everything(group); }, seconds(60)));
  EXPECT_GE(group.world.now() - begun, seconds(3)) << "9 MB at 2 MB/s";
  EXPECT_LE(group.world.now() - begun, seconds(6));
}

}  // namespace
}  // namespace swarm::raft::test
