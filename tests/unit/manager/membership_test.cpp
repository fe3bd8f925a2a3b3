#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "manager_fixture.h"

namespace swarm::manager {
namespace {

using MembershipTest = ManagerTest;

TEST_F(MembershipTest, ThreeManagersHoldTheSameState) {
  start_managers(3);
  ASSERT_TRUE(create(leader(), "web").ok());
  world_.run_for(seconds(1));
  for (const auto& machine : managers_.all()) {
    EXPECT_TRUE(shows(*machine, "web")) << machine->name;
    const state::View view = machine->manager->store().view();
    for (const auto& other : managers_.all()) {
      ASSERT_TRUE(view.node(other->node)->manager.has_value());
      EXPECT_EQ(view.node(other->node)->manager->member, other->member);
    }
  }
}

TEST_F(MembershipTest, AskingToJoinAgainKeepsTheMemberAndTakesTheNewAddress) {
  start_managers(3);
  Machine& member = follower();
  std::optional<Result<api::Gateway::Joined>> joined;
  leader().gateway->join_raft(member.node, "elsewhere:2377",
                              [&joined](auto result) { joined = std::move(result); });
  ASSERT_TRUE(world_.run_until([&joined] { return joined.has_value(); }, seconds(10)));
  ASSERT_TRUE(joined->ok()) << joined->status();
  EXPECT_EQ((*joined)->member, member.member);
  EXPECT_EQ(leader().manager->store().view().node(member.node)->manager->address, "elsewhere:2377");
}

TEST_F(MembershipTest, AWorkerMayNotJoinTheGroup) {
  start_managers(1);
  const model::NodeId worker = managers_.admit_worker();
  std::optional<Status> answer;
  leader().gateway->join_raft(worker, "worker:2377",
                              [&answer](auto joined) { answer = joined.status(); });
  ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(10)));
  EXPECT_TRUE(absl::IsPermissionDenied(*answer));
}

TEST_F(MembershipTest, NodeOfAKilledLeaderGetsNoTasksBeforeItIsHeardOf) {
  start_managers(3);
  ASSERT_TRUE(write(leader(), [](const state::View& view, WallTime, Random&) {
                state::ChangeSet changes;
                for (const auto& [id, node] : view.nodes()) {
                  model::Node ready = *node;
                  ready.status.state = model::NodeState::ready;
                  changes.put(std::move(ready));
                }
                return Result<state::ChangeSet>(std::move(changes));
              }).ok());
  world_.run_for(seconds(1));
  Machine& dead = leader();
  managers_.crash(dead, false);
  Machine& next = leader();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(create(next, "web" + std::to_string(i)).ok());
  }
  const auto is_placed = [&next] {
    return next.manager->store().view().tasks().size() == 6 &&
           next.manager->store().view().unplaced_tasks().empty();
  };
  ASSERT_TRUE(world_.run_until(is_placed, seconds(10)));
  for (const auto& [id, task] : next.manager->store().view().tasks()) {
    EXPECT_NE(task->node, dead.node);
  }
}

TEST_F(MembershipTest, AManagerThatNobodyReachesIsRefusedAndLeavesNothingBehind) {
  start_managers(1);
  managers_.unreachable = {"away:2377"};
  const Result<model::NodeId> node = managers_.admit_manager();
  ASSERT_TRUE(node.ok()) << node.status();
  ASSERT_NE(leader().manager->store().view().node(*node), nullptr);
  std::optional<Status> answer;
  leader().gateway->join_raft(*node, "away:2377",
                              [&answer](auto joined) { answer = joined.status(); });
  ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(10)));
  EXPECT_TRUE(absl::IsFailedPrecondition(*answer)) << *answer;
  for (const char* const part : {"away:2377", "Connection refused", "--advertise-addr"}) {
    EXPECT_THAT(std::string(answer->message()), ::testing::HasSubstr(part));
  }
  EXPECT_EQ(leader().manager->store().view().node(*node), nullptr);
  std::optional<size_t> reachable;
  leader().manager->ask_reachable(
      [&reachable](const auto& members) { reachable = members.size(); });
  ASSERT_TRUE(world_.run_until([&reachable] { return reachable.has_value(); }, seconds(10)));
  EXPECT_EQ(reachable, 1U);
  EXPECT_TRUE(create(leader(), "goes-on").ok()) << "it does not count in the quorum";
}

// All but one are dead: the one that is left names them, and what to do.
TEST_F(MembershipTest, AManagerWithoutAQuorumNamesWhoIsMissing) {
  start_managers(3);
  Machine& left = leader();
  EXPECT_EQ(left.gateway->quorum_loss(), "");
  std::vector<std::string> dead;
  for (const auto& machine : managers_.all()) {
    if (machine.get() != &left) {
      managers_.crash(*machine, false);
      dead.push_back(machine->name);
    }
  }
  ASSERT_TRUE(
      world_.run_until([&left] { return !left.gateway->quorum_loss().empty(); }, seconds(2)));
  const std::string loss = left.gateway->quorum_loss();
  for (const std::string& part : {dead[0], dead[1], std::string("of 3 managers"),
                                  std::string("swarmctl swarm init --force-new-cluster")}) {
    EXPECT_THAT(loss, ::testing::HasSubstr(part));
  }
  for (const auto& machine : managers_.all()) {
    managers_.restart(*machine);
  }
  ASSERT_TRUE(world_.run_until(
      [this] {
        return managers_.leader() != nullptr &&
               std::ranges::all_of(managers_.all(), [](const auto& machine) {
                 return machine->gateway->quorum_loss().empty();
               });
      },
      seconds(30)));
}

TEST_F(MembershipTest, FailoverKeepsWhatWasAcknowledged) {
  start_managers(3);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(create(leader(), "web" + std::to_string(i)).ok());
  }
  Machine& dead = leader();
  managers_.crash(dead, true);
  Machine& next = leader();
  EXPECT_NE(&next, &dead);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(*reads(next, "web" + std::to_string(i)), true) << i;
  }
  ASSERT_TRUE(create(next, "after").ok());
  managers_.restart(dead);
  EXPECT_TRUE(world_.run_until([&] { return shows(dead, "after"); }, seconds(30)));
}

TEST_F(MembershipTest, EveryPowerLossAtOnceKeepsWhatWasAcknowledged) {
  start_managers(3);
  ASSERT_TRUE(create(leader(), "web").ok());
  for (const auto& machine : managers_.all()) {
    managers_.crash(*machine, true);
  }
  for (const auto& machine : managers_.all()) {
    managers_.restart(*machine);
  }
  ASSERT_NE(managers_.await_leader(), nullptr);
  EXPECT_EQ(*reads(leader(), "web"), true);
}

TEST_F(MembershipTest, AnOldLeaderThatReturnsFollowsAndDropsWhatItHadNotCommitted) {
  start_managers(3);
  Machine& old = leader();
  isolate(old);
  old.gateway->write(making("lost"), [](const Status&) {});
  ASSERT_TRUE(world_.run_until(
      [&] { return managers_.leader() != nullptr && managers_.leader() != &old; }, seconds(30)));
  ASSERT_TRUE(create(*managers_.leader(), "kept").ok());
  network_.join_all();
  ASSERT_TRUE(world_.run_until([&] { return shows(old, "kept"); }, seconds(30)));
  EXPECT_FALSE(shows(old, "lost"));
  EXPECT_FALSE(old.gateway->leader().is_self);
}

TEST_F(MembershipTest, LeadershipIsHandedOver) {
  start_managers(3);
  Machine& old = leader();
  bool is_done = false;
  old.manager->hand_over([&is_done] { is_done = true; });
  ASSERT_TRUE(world_.run_until([&is_done] { return is_done; }, seconds(3)));
  EXPECT_TRUE(world_.run_until(
      [&] { return managers_.leader() != nullptr && managers_.leader() != &old; }, seconds(3)));
}

TEST_F(MembershipTest, AloneAManagerGivesUpHandingOverInTime) {
  start_managers(1);
  bool is_done = false;
  leader().manager->hand_over([&is_done] { is_done = true; });
  EXPECT_TRUE(world_.run_until([&is_done] { return is_done; }, seconds(3)));
}

TEST_F(MembershipTest, ADemotedFollowerLeavesTheGroup) {
  start_managers(3);
  Machine& demoted = follower();
  std::optional<Status> answer;
  leader().gateway->leave_raft(demoted.node, [&answer](Status s) { answer = std::move(s); });
  ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(10)));
  ASSERT_TRUE(answer->ok()) << *answer;
  ASSERT_TRUE(world_.run_until(
      [&] { return !leader().manager->store().view().node(demoted.node)->manager.has_value(); },
      seconds(30)));
  // Two are left, and both are needed; the third is not.
  managers_.crash(demoted, false);
  EXPECT_TRUE(create(leader(), "web").ok());
}

TEST_F(MembershipTest, ADemotedLeaderHandsOverAndThenLeaves) {
  start_managers(3);
  Machine& demoted = leader();
  std::optional<Status> answer;
  demoted.gateway->leave_raft(demoted.node, [&answer](Status s) { answer = std::move(s); });
  ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(10)));
  ASSERT_TRUE(answer->ok()) << *answer;
  const bool has_left = world_.run_until(
      [&] {
        Machine* const now = managers_.leader();
        return now != nullptr && now != &demoted &&
               !now->manager->store().view().node(demoted.node)->manager.has_value();
      },
      seconds(30));
  EXPECT_TRUE(has_left);
  EXPECT_TRUE(create(leader(), "web").ok());
}

TEST_F(MembershipTest, TheLastManagerCannotBeDemoted) {
  start_managers(1);
  std::optional<Status> answer;
  leader().gateway->leave_raft(leader().node, [&answer](Status s) { answer = std::move(s); });
  ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(10)));
  EXPECT_TRUE(absl::IsFailedPrecondition(*answer)) << *answer;
}

}  // namespace
}  // namespace swarm::manager
