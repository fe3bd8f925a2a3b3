#include "replica_group.h"

namespace swarm::raft::test {
namespace {

TEST(Replica, AGroupOfOneLeadsAtOnceAndCommitsWithItsOwnSync) {
  Group group;
  Group::Node& node = group.start_first();
  EXPECT_EQ(group.world.now(), TimePoint(seconds(1))) << "no time passed";
  node.replica->propose(*node.machine->leads, "a");
  group.world.settle();
  EXPECT_EQ(node.machine->texts, std::vector<std::string>{"a"});
}

TEST(Replica, NothingIsAppliedBeforeItIsDurable) {
  Group group;
  Group::Node& node = group.start_first();
  node.disk.begin_power_loss();
  node.replica->propose(*node.machine->leads, "a");
  group.world.run_for(seconds(2));
  EXPECT_TRUE(node.machine->texts.empty());
  EXPECT_TRUE(node.failure.has_value()) << "a failed sync ends the process";
}

TEST(Replica, BootstrapNeedsAnEmptyDirectory) {
  Group group;
  Group::Node& node = group.start_first();
  group.stop(node, false);
  ASSERT_TRUE(group.open(node).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(node.replica->bootstrap("x")));
}

TEST(Replica, LeadershipIsAnnouncedAfterEverythingCommittedBefore) {
  Group group;
  Group::Node& node = group.start_first();
  ASSERT_TRUE(group.write(node, "a"));
  ASSERT_TRUE(group.write(node, "b"));
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }));
  ASSERT_EQ(node.machine->events.size(), 3u);
  EXPECT_EQ(node.machine->events[0], "apply a");
  EXPECT_EQ(node.machine->events[1], "apply b");
  EXPECT_EQ(node.machine->events[2].substr(0, 3), "won");
}

TEST(Replica, AnotherLeadsSoonWhenTheProcessOfTheLeaderDies) {
  Group group;
  group.start_three();
  ASSERT_TRUE(group.write(group.node(1), "a"));
  group.world.run_for(seconds(1));
  group.stop(group.node(1), false);
  const TimePoint died = group.world.now();
  group.node(2).replica->peer_refused(MemberId(1));
  group.node(3).replica->peer_refused(MemberId(1));
  ASSERT_TRUE(group.world.run_until([&] { return group.leader() != nullptr; }));
  EXPECT_LE(group.world.now() - died, milliseconds(200));
  EXPECT_TRUE(Group::has(*group.leader(), "a"));
  EXPECT_TRUE(group.write(*group.leader(), "b"));
}

TEST(Replica, AnotherLeadsAfterAnElectionTimeoutWhenTheLeaderIsCutOff) {
  Group group;
  group.start_three();
  group.node(1).is_cut = true;
  ASSERT_TRUE(group.world.run_until([&] { return group.leader() != nullptr; }, seconds(5)));
  ASSERT_TRUE(group.world.run_until([&] { return !group.node(1).machine->leads; }, seconds(2)))
      << "the old leader notices by itself";
  EXPECT_TRUE(group.write(*group.leader(), "b"));
  group.node(1).is_cut = false;
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(1), "b"); }));
}

TEST(Replica, LeadershipIsHandedOverWithoutAnElectionTimeout) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  const TimePoint before = group.world.now();
  group.node(1).replica->transfer_leadership(MemberId(2),
                                             [&](const Status& status) { done = status; });
  group.node(1).replica->propose(*group.node(1).machine->leads, "meanwhile");
  ASSERT_TRUE(group.world.run_until([&] { return done && group.node(2).machine->leads; }));
  EXPECT_TRUE(done->ok());
  EXPECT_LT(group.world.now() - before, milliseconds(100));
}

TEST(Replica, AHandOverThatFailsLosesNoProposal) {
  Group group;
  group.start_three();
  group.node(2).is_cut = true;
  std::optional<Status> done;
  group.node(1).replica->transfer_leadership(MemberId(2),
                                             [&](const Status& status) { done = status; });
  group.node(1).replica->propose(*group.node(1).machine->leads, "meanwhile");
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsDeadlineExceeded(*done)) << *done;
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(1), "meanwhile"); }));
}

TEST(Replica, AFullDiskRefusesWritesLosesNothingAndRecovers) {
  Group group;
  Group::Node& node = group.start_first();
  ASSERT_TRUE(group.write(node, "before"));
  node.disk.set_capacity(0);
  for (int i = 0; i < 40 && node.machine->leads; ++i) {
    node.replica->propose(*node.machine->leads, std::string(1000, 'x'));
    group.world.run_for(milliseconds(10));
  }
  EXPECT_FALSE(node.machine->leads) << "no more writes are accepted";
  EXPECT_FALSE(node.failure) << "and the process lives";
  const size_t applied = node.machine->texts.size();
  node.disk.set_capacity(1 << 30);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }, seconds(5)));
  EXPECT_GE(node.machine->texts.size(), applied);
  ASSERT_TRUE(group.write(node, "after"));
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return Group::has(node, "after"); }));
  EXPECT_TRUE(Group::has(node, "before"));
}

// What that sync had to write is not written by the next one: the group is written again.
TEST(Replica, ASyncThatFindsNoRoomIsTriedAgainWithItsBytes) {
  Group group;
  Group::Node& node = group.start_first();
  ASSERT_TRUE(group.write(node, "before"));
  node.disk.run_out_at_next_sync();
  node.replica->propose(*node.machine->leads, "without room");
  ASSERT_TRUE(group.world.run_until([&] { return Group::has(node, "without room"); }));
  EXPECT_FALSE(node.failure);
  group.stop(node, true);
  group.restart(node);
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(node, "without room"); }));
}

TEST(Replica, GarbageFromTheNetworkIsHarmless) {
  Group group;
  group.start_three();
  Random random(7);
  for (int i = 0; i < 500; ++i) {
    std::string noise(random.below(60), '\0');
    for (char& c : noise) {
      c = static_cast<char>(random.below(256));
    }
    group.node(1).replica->receive(MemberId(2), noise);
  }
  EXPECT_TRUE(group.write(group.node(1), "a"));
}

TEST(Replica, DamagedStateIsRefusedAtTheStart) {
  Group group;
  Group::Node& node = group.start_first();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(group.write(node, "a"));
  }
  group.stop(node, false);
  node.disk.damage("/state/log/0000000000000001.log", 600);
  EXPECT_TRUE(absl::IsDataLoss(group.open(node)));
}

}  // namespace
}  // namespace swarm::raft::test
