#include "raft/core/progress.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "raft/core/read_queue.h"

namespace swarm::raft {
namespace {

Progress new_progress(uint64_t next) {
  return Progress(Index(next), Inflights(3, 100));
}

TEST(Progress, AProbeWaitsForItsAnswer) {
  Progress progress = new_progress(5);
  EXPECT_TRUE(progress.may_send());
  progress.on_sent(Index(6), 10, true);
  EXPECT_FALSE(progress.may_send());
  EXPECT_EQ(progress.next(), Index(5));
  EXPECT_TRUE(progress.on_accepted(Index(6)));
  EXPECT_EQ(progress.state(), Progress::State::replicate);
  EXPECT_EQ(progress.next(), Index(7));
}

TEST(Progress, AHeartbeatReplyAllowsAnotherProbe) {
  Progress progress = new_progress(5);
  progress.on_sent(Index(5), 10, true);
  progress.on_heartbeat_reply();
  EXPECT_TRUE(progress.may_send());
}

TEST(Progress, ReplicationIsBoundedInMessagesAndBytes) {
  Progress progress = new_progress(1);
  progress.on_accepted(Index(0));
  for (uint64_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(progress.may_send());
    progress.on_sent(Index(i), 1, true);
  }
  EXPECT_FALSE(progress.may_send());
  progress.on_accepted(Index(2));
  EXPECT_EQ(progress.inflights().messages(), 1u);
  progress.on_sent(Index(4), 200, true);
  EXPECT_FALSE(progress.may_send());
  progress.on_heartbeat_reply();
  progress.on_heartbeat_reply();
  EXPECT_TRUE(progress.may_send());
  EXPECT_EQ(progress.inflights().bytes(), 0u);
}

TEST(Progress, ARefusalHalvesTheWindowAndAnswersOpenItAgain) {
  Progress progress(Index(1), Inflights(4, 100));
  progress.on_accepted(Index(0));
  EXPECT_EQ(progress.inflights().window(), 4u);
  for (const size_t window : {2, 1, 1}) {
    EXPECT_TRUE(progress.on_rejected(Index(1), Index(0)));
    EXPECT_EQ(progress.inflights().window(), window);
    progress.on_accepted(Index(0));
  }
  for (const uint64_t index : {1, 2, 3, 4}) {
    ASSERT_TRUE(progress.may_send());
    progress.on_sent(Index(index), 1, true);
    progress.on_accepted(Index(index));
    EXPECT_EQ(progress.inflights().window(), std::min<size_t>(index + 1, 4));
  }
}

TEST(Progress, LateRejectionsAreIgnored) {
  Progress progress = new_progress(10);
  progress.on_accepted(Index(9));
  progress.on_accepted(Index(12));
  EXPECT_FALSE(progress.on_rejected(Index(11), Index(3)));
  EXPECT_EQ(progress.next(), Index(13));
  Progress probing = new_progress(10);
  EXPECT_FALSE(probing.on_rejected(Index(4), Index(2))) << "not the answer to this probe";
  EXPECT_TRUE(probing.on_rejected(Index(9), Index(2)));
  EXPECT_EQ(probing.next(), Index(3));
}

TEST(Progress, ARejectionNeverGoesUnderWhatIsKnownToAgree) {
  Progress progress = new_progress(1);
  progress.on_accepted(Index(0));
  progress.on_accepted(Index(5));
  EXPECT_TRUE(progress.on_rejected(Index(8), Index(1)));
  EXPECT_EQ(progress.state(), Progress::State::probe);
  EXPECT_EQ(progress.next(), Index(6));
}

TEST(Progress, AMemberThatLostWhatItAcknowledgedIsAskedAtThePaceOfHeartbeats) {
  Progress progress = new_progress(1);
  progress.on_accepted(Index(0));
  progress.on_accepted(Index(5));
  progress.become_probe();
  progress.on_sent(Index(5), 0, false);
  EXPECT_FALSE(progress.on_rejected(Index(5), Index(2)));
  EXPECT_FALSE(progress.may_send());
  progress.on_heartbeat_reply();
  EXPECT_TRUE(progress.may_send());
}

TEST(Progress, NothingIsSentDuringASnapshotAndAProbeFollowsIt) {
  Progress progress = new_progress(1);
  progress.become_snapshot(Index(20));
  EXPECT_FALSE(progress.may_send());
  progress.become_probe();
  EXPECT_EQ(progress.next(), Index(21));
  EXPECT_TRUE(progress.may_send());
}

TEST(Progress, AnInstalledSnapshotEndsTheSnapshotStateEvenIfTheStatusIsLost) {
  Progress progress = new_progress(1);
  progress.become_snapshot(Index(20));
  progress.on_accepted(Index(22));
  EXPECT_EQ(progress.state(), Progress::State::replicate);
  EXPECT_EQ(progress.next(), Index(23));
}

ReadQueue::Read read_of(uint64_t member, uint64_t id) {
  return {MemberId(member), 0, id, Index()};
}

std::vector<uint64_t> ids_of(const std::vector<ReadQueue::Read>& reads) {
  std::vector<uint64_t> ids;
  for (const ReadQueue::Read& read : reads) {
    ids.push_back(read.id);
  }
  return ids;
}

TEST(ReadQueue, OneConfirmationServesAllReadsBeforeIt) {
  ReadQueue reads;
  EXPECT_FALSE(reads.assign(Index(7)));
  reads.add(read_of(0, 1));
  reads.add(read_of(0, 2));
  EXPECT_TRUE(reads.assign(Index(7)));
  reads.add(read_of(0, 3));
  EXPECT_TRUE(reads.assign(Index(9)));
  EXPECT_EQ(reads.position(), 2u);
  EXPECT_TRUE(reads.confirm(0).empty());
  const std::vector<ReadQueue::Read> first = reads.confirm(1);
  EXPECT_EQ(ids_of(first), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(first.back().index, Index(7)) << "what was committed when it was asked";
  reads.add(read_of(0, 4));
  EXPECT_EQ(ids_of(reads.take_all()), (std::vector<uint64_t>{3, 4}));
  EXPECT_EQ(reads.size(), 0u);
}

TEST(ReadQueue, AMemberThatAsksAgainWaitsOnce) {
  ReadQueue reads;
  for (uint64_t id = 1; id <= 100; ++id) {
    reads.add(read_of(2, id));
    reads.add(read_of(3, id));
  }
  EXPECT_EQ(reads.size(), 2u);
  reads.assign(Index(5));
  EXPECT_EQ(ids_of(reads.take_all()), (std::vector<uint64_t>{100, 100}));
}

}  // namespace
}  // namespace swarm::raft
