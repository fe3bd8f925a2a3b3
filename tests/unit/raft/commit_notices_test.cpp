#include "raft/replica/commit_notices.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/simulated_loop.h"

namespace swarm::raft {
namespace {

const MemberId kPeer(2);
const MemberId kOther(3);

Message notice(uint64_t commit) {
  return Heartbeat{.term = Term(1), .commit = Index(commit), .wants_reply = false};
}

class CommitNoticesTest : public ::testing::Test {
 protected:
  test::World world;
  test::SimulatedLoop loop{world};
  std::vector<Envelope> sent;
  CommitNotices notices{loop, [this](const Envelope& envelope) { sent.push_back(envelope); }};
};

TEST_F(CommitNoticesTest, TheLatestGoesAloneWhenNothingElseDoes) {
  notices.send({kPeer, notice(7)});
  notices.send({kPeer, notice(8)});
  EXPECT_TRUE(sent.empty());
  world.run_for(CommitNotices::kDelay);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, kPeer);
  EXPECT_EQ(std::get<Heartbeat>(sent[0].message).commit, Index(8));
  world.run_for(CommitNotices::kDelay * 2);
  EXPECT_EQ(sent.size(), 1u) << "once";
}

TEST_F(CommitNoticesTest, NoneFollowsWhatTellsAsMuch) {
  notices.send({kPeer, notice(7)});
  notices.send({kOther, notice(7)});
  notices.send({kPeer, AppendEntries{.term = Term(1),
                                     .previous_index = Index(7),
                                     .previous_term = Term(1),
                                     .commit = Index(7),
                                     .entries = {}}});
  ASSERT_EQ(sent.size(), 1u) << "at once";
  world.run_for(CommitNotices::kDelay);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].to, kOther) << "what goes to one member tells another nothing";
}

TEST_F(CommitNoticesTest, OtherMessagesTellNothingOfACommit) {
  notices.send({kPeer, notice(7)});
  notices.send({kPeer, AppendReply{.term = Term(1), .index = Index(7)}});
  ASSERT_EQ(sent.size(), 1u) << "at once";
  world.run_for(CommitNotices::kDelay);
  EXPECT_EQ(sent.size(), 2u);
}

}  // namespace
}  // namespace swarm::raft
