// A group that lost its quorum for good, and one that begins with a snapshot of another.
#include "raft/replica/member_storage.h"
#include "replica_group.h"

namespace swarm::raft::test {
namespace {

TEST(Replica, ASurvivorGoesOnAloneWithAllItHas) {
  Group group;
  group.start_three();
  Group::Node& survivor = *group.leader();
  ASSERT_TRUE(group.write(survivor, "committed"));
  for (uint64_t id = 1; id <= 3; ++id) {
    group.node(id).is_cut = true;
  }
  survivor.replica->propose(*survivor.machine->leads, "appended alone");
  group.world.run_for(seconds(3));
  EXPECT_FALSE(survivor.machine->leads.has_value()) << "there is no quorum";
  group.stop(survivor, true);
  survivor.is_cut = false;

  ASSERT_TRUE(group.open(survivor).ok());
  ASSERT_TRUE(survivor.replica->force_alone("127.0.0.1:9").ok());
  survivor.replica->start();
  ASSERT_TRUE(group.world.run_until([&] { return survivor.machine->leads.has_value(); }));
  EXPECT_TRUE(Group::has(survivor, "committed"));
  EXPECT_TRUE(Group::has(survivor, "appended alone"));
  ASSERT_EQ(survivor.replica->members().size(), 1u);
  EXPECT_EQ(survivor.replica->members()[0].address, "127.0.0.1:9");
  EXPECT_TRUE(group.write(survivor, "after"));

  // The others come back: whatever they think, nobody here listens to them any more.
  for (uint64_t id = 1; id <= 3; ++id) {
    group.node(id).is_cut = false;
  }
  group.world.run_for(seconds(5));
  EXPECT_TRUE(survivor.machine->leads.has_value());
  EXPECT_TRUE(group.write(survivor, "still alone"));
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(Group::has(group.node(id), "after"), &group.node(id) == &survivor);
  }

  // It is a group like any other: it grows, and a restart finds it as it was.
  group.stop(survivor, true);
  group.restart(survivor);
  ASSERT_TRUE(group.world.run_until([&] { return survivor.machine->leads.has_value(); }));
  EXPECT_EQ(survivor.replica->members().size(), 1u);
  Group::Node& fresh = group.add(7);
  ASSERT_TRUE(group.open(fresh).ok());
  fresh.replica->start();
  survivor.replica->add_member({fresh.id, "127.0.0.1:7", true}, [](const Status&) {});
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(fresh, "still alone"); }));
}

TEST(Replica, NobodyIsForcedAloneWhoIsInNoGroup) {
  Group group;
  Group::Node& node = group.add(1);
  ASSERT_TRUE(group.open(node).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(node.replica->force_alone("127.0.0.1:1")));
}

TEST(Replica, AGroupOfOneBeginsWithASeededSnapshot) {
  Group group;
  Group::Node& node = group.add(1);
  PlainCipher cipher;
  Configuration alone;
  alone.members.push_back({MemberId(1), "127.0.0.1:1", false});
  ASSERT_TRUE(
      seed_snapshot("/state", node.disk, cipher, {Index(40), Term(3), alone}, {"a", "b"}).ok());
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }));
  EXPECT_EQ(node.machine->restores, 1);
  EXPECT_GT(node.replica->progress().committed, Index(40));
  EXPECT_TRUE(group.write(node, "after"));
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }));
  EXPECT_TRUE(Group::has(node, "after"));
}

}  // namespace
}  // namespace swarm::raft::test
