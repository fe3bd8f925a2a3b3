#include "replica_group.h"

namespace swarm::raft::test {
namespace {

TEST(Replica, JoiningMembersBecomeVotersAndGetEverything) {
  Group group;
  Group::Node& first = group.start_first();
  ASSERT_TRUE(group.write(first, "a"));
  group.join(first, 2);
  group.join(first, 3);
  EXPECT_EQ(Group::voters(first), 3u);
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(3), "a"); }));
  EXPECT_EQ(group.node(3).link.addresses.at(MemberId(2)), "127.0.0.1:2");
  EXPECT_EQ(group.node(2).machine->leader, MemberId(1));
  EXPECT_EQ(first.replica->progress().reachable.size(), 3u);
}

TEST(Replica, ARemovedMemberIsOutAndItsIdStaysOut) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  const auto note = [&](const Status& status) { done = status; };
  group.node(1).replica->remove_member(MemberId(3), note);
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << *done;
  EXPECT_EQ(Group::voters(group.node(1)), 2u);
  EXPECT_FALSE(group.node(1).link.addresses.contains(MemberId(3)));
  done.reset();
  group.node(1).replica->remove_member(MemberId(3), note);
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << "asking twice is no error";
  done.reset();
  group.node(1).replica->add_member({MemberId(3), "x", true}, note);
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsFailedPrecondition(*done)) << *done;
  EXPECT_TRUE(group.write(group.node(1), "a"));
}

TEST(Replica, ALeaderDoesNotRemoveItselfAndTheLastVoterStays) {
  Group group;
  Group::Node& node = group.start_first();
  std::optional<Status> done;
  node.replica->remove_member(MemberId(1), [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsFailedPrecondition(*done));
}

TEST(Replica, AddingAKnownMemberChangesItsAddress) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  group.node(1).replica->add_member({MemberId(2), "127.0.0.9:9", false},
                                    [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << *done;
  EXPECT_EQ(group.node(1).link.addresses.at(MemberId(2)), "127.0.0.9:9");
  EXPECT_EQ(Group::voters(group.node(1)), 3u);
}

TEST(Replica, SeveralMembersChangeInOneStep) {
  Group group;
  group.start_three();
  group.join(group.node(1), 4);
  group.join(group.node(1), 5);
  std::optional<Status> done;
  group.node(1).replica->change_members(
      {{MembershipChange::Kind::remove, MemberId(2), ""},
       {MembershipChange::Kind::remove, MemberId(3), ""},
       {MembershipChange::Kind::set_address, MemberId(4), "127.0.0.4:4"}},
      [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << *done;
  const Configuration& now =
      static_cast<RaftReplica&>(*group.node(1).replica).core().configuration();
  EXPECT_FALSE(now.is_joint()) << "done means left";
  EXPECT_EQ(now.voters(), (std::vector{MemberId(1), MemberId(4), MemberId(5)}));
  EXPECT_EQ(group.node(1).link.addresses.at(MemberId(4)), "127.0.0.4:4");
  EXPECT_FALSE(group.node(1).link.addresses.contains(MemberId(3)));
  EXPECT_TRUE(group.write(group.node(1), "a"));
}

TEST(Replica, AllOfSeveralChangesHappenOrNone) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  group.node(1).replica->change_members({{MembershipChange::Kind::remove, MemberId(2), ""},
                                         {MembershipChange::Kind::promote, MemberId(9), ""}},
                                        [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsNotFound(*done)) << *done;
  EXPECT_EQ(Group::voters(group.node(1)), 3u);
}

TEST(Replica, AChangeThatWouldLoseTheQuorumIsRefusedWithTheReason) {
  Group group;
  group.start_three();
  group.node(3).is_cut = true;
  group.world.run_for(seconds(2));
  std::optional<Status> done;
  group.node(1).replica->remove_member(MemberId(2), [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }, seconds(10)));
  EXPECT_TRUE(absl::IsUnavailable(*done)) << *done;
  EXPECT_NE(done->message().find("would lose quorum"), std::string::npos) << *done;
  EXPECT_EQ(Group::voters(group.node(1)), 3u);
}

TEST(Replica, AMemberAnnouncesItsNewAddressWhenItComesBack) {
  Group group;
  group.start_three();
  group.stop(group.node(3), false);
  group.node(3).address = "127.0.0.3:33";
  group.restart(group.node(3));
  EXPECT_TRUE(group.world.run_until(
      [&] { return group.node(1).link.addresses.at(MemberId(3)) == "127.0.0.3:33"; }, seconds(5)));
  EXPECT_TRUE(group.world.run_until(
      [&] { return group.node(2).link.addresses.at(MemberId(3)) == "127.0.0.3:33"; }, seconds(5)));
}

}  // namespace
}  // namespace swarm::raft::test
