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
      apply_changes(of({1, 2}), {{MembershipChange::Kind::remove, MemberId(2), ""}});
  ASSERT_TRUE(removed.ok());
  const Status again =
      apply_changes(*removed, {{MembershipChange::Kind::add_learner, MemberId(2), "x"}}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(again)) << again;
}

TEST(Configuration, TheLastVoterStays) {
  Configuration one = of({1});
  one.members.push_back({MemberId(2), "", true});
  EXPECT_FALSE(apply_changes(one, {{MembershipChange::Kind::remove, MemberId(1), ""}}).ok());
  EXPECT_TRUE(apply_changes(one, {{MembershipChange::Kind::remove, MemberId(2), ""}}).ok());
}

TEST(Configuration, ChangesThatChangeNothingAreErrors) {
  const Configuration two = of({1, 2});
  EXPECT_TRUE(absl::IsAlreadyExists(
      apply_changes(two, {{MembershipChange::Kind::promote, MemberId(2), ""}}).status()));
  EXPECT_TRUE(absl::IsAlreadyExists(
      apply_changes(two, {{MembershipChange::Kind::add_learner, MemberId(2), ""}}).status()));
  EXPECT_TRUE(absl::IsNotFound(
      apply_changes(two, {{MembershipChange::Kind::remove, MemberId(3), ""}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      apply_changes(two, {{MembershipChange::Kind::add_learner, MemberId(), ""}}).status()));
}

TEST(Configuration, RemovedIdsAreNeverForgotten) {
  Configuration configuration = of({1});
  for (uint64_t id = 6000; id > 1; --id) {
    const MembershipChange add{MembershipChange::Kind::add_learner, MemberId(id), ""};
    const MembershipChange remove{MembershipChange::Kind::remove, MemberId(id), ""};
    configuration = *apply_changes(*apply_changes(configuration, {add}), {remove});
  }
  for (uint64_t id = 2; id <= 6000; ++id) {
    ASSERT_TRUE(configuration.is_removed(MemberId(id)));
  }
  EXPECT_FALSE(configuration.is_removed(MemberId(1)));
}

TEST(Configuration, SeveralVotersAtOnceMakeItJoint) {
  Configuration from = of({1, 2, 3});
  from.members.push_back({MemberId(4), "four", true});
  const MembershipChange promote{MembershipChange::Kind::promote, MemberId(4), ""};
  const MembershipChange remove{MembershipChange::Kind::remove, MemberId(3), ""};
  EXPECT_FALSE(apply_changes(from, {promote})->is_joint());
  EXPECT_FALSE(apply_changes(from, {remove})->is_joint());
  const Configuration joint = *apply_changes(from, {promote, remove});
  EXPECT_EQ(joint.voters(), (std::vector{MemberId(1), MemberId(2), MemberId(4)}));
  EXPECT_EQ(joint.outgoing, of({1, 2, 3}).members);
  EXPECT_TRUE(joint.is_voter(MemberId(3))) << "until the joint configuration is left";
  EXPECT_TRUE(absl::IsFailedPrecondition(apply_changes(joint, {remove}).status()));
}

TEST(Configuration, AnIdThatIsRemovedInTheSameStepStaysOut) {
  const MembershipChange remove{MembershipChange::Kind::remove, MemberId(2), ""};
  const MembershipChange add{MembershipChange::Kind::add_learner, MemberId(2), ""};
  EXPECT_TRUE(absl::IsFailedPrecondition(apply_changes(of({1, 2}), {remove, add}).status()));
}

}  // namespace
}  // namespace swarm::raft
