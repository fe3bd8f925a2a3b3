#include "raft/core/quorum.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace swarm::raft {
namespace {

Configuration random_configuration(Random& random) {
  Configuration configuration;
  for (uint64_t id = 1; id <= 6; ++id) {
    if (random.chance(0.7)) {
      configuration.members.push_back({MemberId(id), "", random.chance(0.2)});
    }
    if (random.chance(0.2)) {
      configuration.outgoing.push_back({MemberId(id), "", false});
    }
  }
  return configuration;
}

bool is_majority(const std::vector<MemberId>& voters, const std::map<MemberId, bool>& yes) {
  size_t count = 0;
  for (const MemberId id : voters) {
    const auto found = yes.find(id);
    count += found != yes.end() && found->second ? 1 : 0;
  }
  return 2 * count > voters.size();
}

std::vector<MemberId> ids_of(const std::vector<Member>& members) {
  std::vector<MemberId> ids;
  for (const Member& member : members) {
    ids.push_back(member.id);
  }
  return ids;
}

// By definition: both halves have a majority.
bool wins(const Configuration& configuration, const std::map<MemberId, bool>& yes) {
  return is_majority(configuration.voters(), yes) &&
         (!configuration.is_joint() || is_majority(ids_of(configuration.outgoing), yes));
}

TEST(Quorum, TallyAgreesWithTheDefinition) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    const Configuration configuration = random_configuration(random);
    std::map<MemberId, bool> votes;
    std::map<MemberId, bool> at_best;
    for (uint64_t id = 1; id <= 7; ++id) {
      const bool has_voted = random.chance(0.6);
      const bool is_granted = random.chance(0.6);
      if (has_voted) {
        votes[MemberId(id)] = is_granted;
      }
      at_best[MemberId(id)] = !has_voted || is_granted;
    }
    const VoteResult expected = wins(configuration, votes)     ? VoteResult::won
                                : wins(configuration, at_best) ? VoteResult::pending
                                                               : VoteResult::lost;
    EXPECT_EQ(Quorum(configuration).tally(votes), expected) << "round " << round;
  }
}

TEST(Quorum, ReachedIsTheHighestValueThatAQuorumHas) {
  Random random(2);
  for (int round = 0; round < 3000; ++round) {
    const Configuration configuration = random_configuration(random);
    std::map<MemberId, uint64_t> values;
    for (uint64_t id = 1; id <= 7; ++id) {
      values[MemberId(id)] = random.below(6);
    }
    uint64_t expected = 0;
    for (uint64_t value = 1; value < 6; ++value) {
      std::map<MemberId, bool> have;
      for (const auto& [id, reached] : values) {
        have[id] = reached >= value;
      }
      if (!configuration.voters().empty() && wins(configuration, have)) {
        expected = value;
      }
    }
    const uint64_t reached =
        Quorum(configuration).reached([&values](MemberId id) { return values[id]; });
    EXPECT_EQ(reached, expected) << "round " << round;
  }
}

TEST(Quorum, NobodyWinsWithoutVoters) {
  EXPECT_EQ(Quorum(Configuration()).tally({{MemberId(1), true}}), VoteResult::lost);
  EXPECT_EQ(Quorum().reached([](MemberId) { return uint64_t{9}; }), 0u);
}

TEST(Quorum, LearnersAreNotCounted) {
  Configuration configuration;
  configuration.members = {{MemberId(1), "", false}, {MemberId(2), "", true}};
  const Quorum quorum(configuration);
  EXPECT_TRUE(quorum.is_only(MemberId(1)));
  EXPECT_FALSE(quorum.contains(MemberId(2)));
  EXPECT_EQ(quorum.tally({{MemberId(2), true}}), VoteResult::pending);
}

// What makes a change safe: nothing can be decided in the old configuration and in the new one by
// members that do not know of each other, whether one voter changes or several at once.
TEST(Quorum, QuorumsBeforeAndAfterAChangeIntersect) {
  Random random(3);
  int joint = 0;
  for (int round = 0; round < 600; ++round) {
    Configuration before = random_configuration(random);
    before.outgoing.clear();
    MembershipChanges changes;
    for (uint64_t i = 1 + random.below(3); i > 0; --i) {
      const auto kind =
          random.chance(0.5) ? MembershipChange::Kind::promote : MembershipChange::Kind::remove;
      changes.push_back({kind, MemberId(1 + random.below(7)), ""});
    }
    Result<Configuration> after = apply_changes(before, changes);
    if (!after.ok() || before.voters().empty() || after->voters().empty()) {
      continue;
    }
    // Into the joint configuration, and out of it.
    joint += after->is_joint() ? 1 : 0;
    Configuration left = *after;
    left.outgoing.clear();
    for (uint64_t mask = 0; mask < 128; ++mask) {
      std::map<MemberId, bool> some;
      std::map<MemberId, bool> others;
      for (uint64_t i = 1; i <= 7; ++i) {
        some[MemberId(i)] = (mask >> (i - 1)) & 1;
        others[MemberId(i)] = !some[MemberId(i)];
      }
      EXPECT_FALSE(wins(before, some) && wins(*after, others));
      EXPECT_FALSE(wins(*after, some) && wins(left, others));
    }
  }
  EXPECT_GT(joint, 20);
}

}  // namespace
}  // namespace swarm::raft
