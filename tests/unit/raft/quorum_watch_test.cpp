#include "raft/core/quorum_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm::raft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Quorum quorum_of(uint64_t voters) {
  Configuration configuration;
  for (uint64_t id = 1; id <= voters; ++id) {
    configuration.members.push_back({MemberId(id), "", false});
  }
  return Quorum(configuration);
}

TEST(QuorumWatch, NamesTheVotersThatDoNotAnswerWhenTheOthersAreTooFew) {
  const Quorum quorum = quorum_of(3);
  QuorumWatch watch;
  watch.begin(100, MemberId(1));
  watch.tick(103, quorum);
  EXPECT_THAT(watch.missing(), IsEmpty()) << "the answers may be on their way";
  watch.tick(104, quorum);
  EXPECT_THAT(watch.missing(), ElementsAre(MemberId(2), MemberId(3)));
}

TEST(QuorumWatch, AnElectionThatTakesLongIsNoLossOfTheQuorum) {
  const Quorum quorum = quorum_of(3);
  QuorumWatch watch;
  for (uint64_t now = 0; now < 100; now += 10) {
    watch.begin(now, MemberId(1));
    watch.heard_from(MemberId(3), quorum);
    watch.tick(now + 9, quorum);
    EXPECT_THAT(watch.missing(), IsEmpty());
  }
}

TEST(QuorumWatch, SaysSoWithoutAGapWhileItLasts) {
  const Quorum quorum = quorum_of(3);
  QuorumWatch watch;
  watch.begin(0, MemberId(1));
  watch.tick(4, quorum);
  watch.begin(10, MemberId(1));
  EXPECT_FALSE(watch.missing().empty());
  watch.heard_from(MemberId(2), quorum);
  EXPECT_THAT(watch.missing(), IsEmpty()) << "the quorum is back";
}

TEST(QuorumWatch, ALeaderThatStepsDownKnowsAtOnce) {
  const Quorum quorum = quorum_of(5);
  QuorumWatch watch;
  watch.lose({MemberId(1), MemberId(4)}, quorum);
  EXPECT_THAT(watch.missing(), ElementsAre(MemberId(2), MemberId(3), MemberId(5)));
  watch.found_leader();
  EXPECT_THAT(watch.missing(), IsEmpty());
}

TEST(QuorumWatch, WhoNeverAsksKnowsNothing) {
  QuorumWatch watch;
  watch.tick(1000, quorum_of(3));
  EXPECT_THAT(watch.missing(), IsEmpty());
}

}  // namespace
}  // namespace swarm::raft
