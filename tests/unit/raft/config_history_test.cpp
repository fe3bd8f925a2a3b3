#include "raft/core/config_history.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace swarm::raft {
namespace {

Configuration of(std::initializer_list<uint64_t> voters) {
  Configuration configuration;
  for (const uint64_t id : voters) {
    configuration.members.push_back({MemberId(id), "", false});
  }
  return configuration;
}

TEST(ConfigHistory, TruncationBringsTheEarlierConfigurationBack) {
  ConfigHistory history(Index(0), of({1}));
  history.append(Index(5), of({1, 2}));
  history.append(Index(8), of({1, 2, 3}));
  EXPECT_TRUE(history.truncate_from(Index(8)));
  EXPECT_EQ(history.latest(), of({1, 2}));
  EXPECT_FALSE(history.truncate_from(Index(6)));
  EXPECT_TRUE(history.truncate_from(Index(1)));
  EXPECT_EQ(history.latest(), of({1}));
}

TEST(ConfigHistory, AgreesWithALogThatKeepsEverything) {
  Random random(6);
  for (int round = 0; round < 200; ++round) {
    ConfigHistory history(Index(0), of({}));
    std::map<uint64_t, Configuration> model = {{0, of({})}};
    uint64_t last = 0;
    uint64_t base = 0;
    for (int step = 0; step < 60; ++step) {
      const uint64_t kind = random.below(4);
      if (kind < 2) {
        ++last;
        if (random.chance(0.4)) {
          model[last] = of({random.below(9)});
          history.append(Index(last), model[last]);
        }
      } else if (kind == 2 && last > base) {
        const uint64_t from = base + 1 + random.below(last - base);
        model.erase(model.lower_bound(from), model.end());
        history.truncate_from(Index(from));
        last = from - 1;
      } else if (kind == 3) {
        base += random.below(last - base + 1);
        history.compact(Index(base));
      }
      for (uint64_t index = base; index <= last; ++index) {
        ASSERT_EQ(history.at(Index(index)), std::prev(model.upper_bound(index))->second);
      }
      ASSERT_EQ(history.latest(), model.rbegin()->second);
    }
  }
}

TEST(Configuration, ARemovedIdNeverComesBack) {
  const Result<Configuration> removed =
      apply_change(of({1, 2}), {MembershipChange::Kind::remove, MemberId(2), ""});
  ASSERT_TRUE(removed.ok());
  const Status again =
      apply_change(*removed, {MembershipChange::Kind::add_learner, MemberId(2), "x"}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(again)) << again;
}

TEST(Configuration, TheLastVoterStays) {
  Configuration one = of({1});
  one.members.push_back({MemberId(2), "", true});
  EXPECT_FALSE(apply_change(one, {MembershipChange::Kind::remove, MemberId(1), ""}).ok());
  EXPECT_TRUE(apply_change(one, {MembershipChange::Kind::remove, MemberId(2), ""}).ok());
}

TEST(Configuration, ChangesThatChangeNothingAreErrors) {
  const Configuration two = of({1, 2});
  EXPECT_TRUE(absl::IsAlreadyExists(
      apply_change(two, {MembershipChange::Kind::promote, MemberId(2), ""}).status()));
  EXPECT_TRUE(absl::IsAlreadyExists(
      apply_change(two, {MembershipChange::Kind::add_learner, MemberId(2), ""}).status()));
  EXPECT_TRUE(absl::IsNotFound(
      apply_change(two, {MembershipChange::Kind::remove, MemberId(3), ""}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      apply_change(two, {MembershipChange::Kind::add_learner, MemberId(), ""}).status()));
}

TEST(Configuration, TheListOfRemovedIdsIsBounded) {
  Configuration configuration = of({1});
  for (uint64_t id = 2; id < Configuration::kMaxRemoved + 10; ++id) {
    configuration =
        *apply_change(configuration, {MembershipChange::Kind::add_learner, MemberId(id), ""});
    configuration =
        *apply_change(configuration, {MembershipChange::Kind::remove, MemberId(id), ""});
  }
  EXPECT_EQ(configuration.removed.size(), Configuration::kMaxRemoved);
  EXPECT_TRUE(configuration.is_removed(MemberId(Configuration::kMaxRemoved + 9)));
}

}  // namespace
}  // namespace swarm::raft
