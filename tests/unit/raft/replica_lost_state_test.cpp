// A member whose state is gone, or older than what it promised, takes part no longer.
#include "replica_group.h"

namespace swarm::raft::test {
namespace {

// A group of three in which member 2 follows, and a copy of its folder.
struct Follower {
  Follower() {
    group.snapshot_log_bytes = 1 << 20;
    group.start_three();
    node = &group.node(2);
    node->has_taken_part = true;
    copy = node->disk.copy_folder("/state");
  }
  // Its start after the folder was replaced.
  Status start_with(const SimulatedFileSystem::Copy& folder) {
    group.stop(*node, true);
    node->disk.replace_folder("/state", folder);
    return group.open(*node);
  }
  // The others elect another leader, for which it votes.
  void vote_again() {
    Group::Node& first = *group.leader();
    group.stop(first, true);
    EXPECT_TRUE(group.world.run_until([&] { return group.leader() != nullptr; }, seconds(30)));
    group.restart(first);
    group.world.run_for(seconds(2));
  }

  Group group;
  Group::Node* node = nullptr;
  SimulatedFileSystem::Copy copy;
};

void expect_refused(const Status& status, std::string_view what) {
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  for (const std::string_view part :
       {std::string_view("/state"), what, std::string_view("swarmctl swarm leave --force")}) {
    EXPECT_NE(std::string(status.message()).find(part), std::string::npos) << status;
  }
}

TEST(LostState, AnEmptyFolderIsRefusedWithTheCure) {
  Follower follower;
  expect_refused(follower.start_with({}), "missing");
  // Not even with the promises gone as well.
  follower.node->disk.replace_folder("/beside", {});
  expect_refused(follower.start_with({}), "missing");
}

TEST(LostState, AFolderThatComesBackIsTaken) {
  Follower follower;
  ASSERT_FALSE(follower.start_with({}).ok());
  EXPECT_TRUE(follower.start_with(follower.copy).ok()) << "a disk that was not mounted";
}

TEST(LostState, ACopyFromBeforeAVoteIsRefused) {
  Follower follower;
  follower.vote_again();
  expect_refused(follower.start_with(follower.copy), "older copy");
}

TEST(LostState, ACopyFromBeforeWhatWasCommittedIsRefused) {
  Follower follower;
  Group::Node& leader = *follower.group.leader();
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(follower.group.write(leader, std::to_string(i) + std::string(2000, 'x')));
  }
  expect_refused(follower.start_with(follower.copy), "older copy");
}

TEST(LostState, TheLogOfAnotherMemberIsRefused) {
  Follower follower;
  expect_refused(follower.start_with(follower.group.node(3).disk.copy_folder("/state")),
                 "another member");
}

// The whole disk is an older copy, so nothing on it can tell: the leader remembers.
TEST(LostState, AMemberThatForgotWhatTheLeaderCountsOnStopsForGood) {
  Follower follower;
  Group& group = follower.group;
  Group::Node& node = *follower.node;
  Group::Node& leader = *group.leader();
  group.stop(node, true);
  const SimulatedFileSystem::Copy promises = node.disk.copy_folder("/beside");
  const SimulatedFileSystem::Copy log = node.disk.copy_folder("/state");
  group.restart(node);
  ASSERT_TRUE(group.write(leader, "acknowledged by all"));
  ASSERT_TRUE(group.world.run_until([&] { return Group::has(node, "acknowledged by all"); }));
  group.stop(node, true);
  node.disk.replace_folder("/beside", promises);
  node.disk.replace_folder("/state", log);
  bool has_promised = false;
  group.intercept = [&](MemberId from, MemberId, const std::string& bytes) {
    const Result<Message> message = decode_message(bytes);
    const auto* const ack = std::get_if<AppendReply>(&*message);
    const auto* const vote = std::get_if<VoteReply>(&*message);
    has_promised |= from == node.id && ((ack != nullptr && !ack->is_rejected) ||
                                        (vote != nullptr && vote->is_granted));
    return true;
  };
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.loss.has_value(); }, seconds(5)));
  expect_refused(*node.loss, "older copy");
  group.world.run_for(seconds(5));
  EXPECT_FALSE(has_promised);
  EXPECT_TRUE(group.write(leader, "the others go on"));
  group.stop(node, true);
  expect_refused(group.open(node), "older copy");
}

// Nothing of that stands in the way of members that lost nothing.
TEST(LostState, RestartsSnapshotsAndSurvivorsAreNotTakenForLost) {
  Follower follower;
  Group& group = follower.group;
  follower.node->has_taken_part = true;
  group.stop(*follower.node, true);
  Group::Node& leader = *group.leader();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(group.write(leader, std::to_string(i)));
  }
  group.restart(*follower.node);
  ASSERT_TRUE(group.world.run_until([&] { return Group::has(*follower.node, "19"); }));
  for (int i = 0; i < 3; ++i) {
    follower.vote_again();
    for (uint64_t id = 1; id <= 3; ++id) {
      group.stop(group.node(id), id % 2 == 0);
      group.restart(group.node(id));
    }
    ASSERT_TRUE(group.world.run_until([&] { return group.leader() != nullptr; }, seconds(30)));
  }
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_FALSE(group.node(id).loss.has_value());
  }
}

}  // namespace
}  // namespace swarm::raft::test
