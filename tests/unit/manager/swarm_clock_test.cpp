#include "manager/swarm_clock.h"

#include <gtest/gtest.h>

#include "support/decider_harness.h"

namespace swarm::manager {
namespace {

constexpr TimePoint steady(Duration since_boot) {
  return TimePoint(since_boot);
}
constexpr WallTime kNoon = WallTime(seconds(1'700'000'000));

TEST(SwarmClock, AStepOfTheLeadersOwnClockMeansNothing) {
  SwarmClock clock;
  clock.begin_to_lead(steady(seconds(10)), kNoon, {});
  for (const Duration step : {Duration(-hours(1)), Duration{}, Duration(hours(1))}) {
    EXPECT_EQ(clock.at(steady(seconds(15)), kNoon + seconds(5) + step), kNoon + seconds(5));
  }
}

TEST(SwarmClock, ANewLeaderCountsOnFromTheOneItFollowed) {
  for (const Duration skew : {Duration(-hours(1)), Duration(hours(1))}) {
    SwarmClock clock;
    clock.follow(kNoon, steady(seconds(100)));
    clock.begin_to_lead(steady(seconds(103)), kNoon + seconds(3) + skew, kNoon);
    EXPECT_EQ(clock.at(steady(seconds(104)), kNoon + skew), kNoon + seconds(4));
  }
}

TEST(SwarmClock, AnEntryThatCameLateDoesNotSetItBack) {
  SwarmClock clock;
  clock.follow(kNoon, steady(seconds(100)));
  clock.follow(kNoon + seconds(1), steady(seconds(150)));
  clock.begin_to_lead(steady(seconds(160)), kNoon, kNoon);
  EXPECT_EQ(clock.at(steady(seconds(160)), kNoon), kNoon + seconds(60));
}

TEST(SwarmClock, WhoFollowedNobodyNeverBeginsBeforeWhatIsStored) {
  SwarmClock behind;
  behind.begin_to_lead(steady(seconds(1)), kNoon - hours(1), kNoon);
  EXPECT_EQ(behind.at(steady(seconds(2)), {}), kNoon + seconds(1));
  SwarmClock ahead;
  ahead.begin_to_lead(steady(seconds(1)), kNoon + hours(1), kNoon);
  EXPECT_EQ(ahead.at(steady(seconds(1)), {}), kNoon + hours(1))
      << "it may have been off for so long";
}

TEST(SwarmClock, WhoDoesNotLeadHasItsOwn) {
  SwarmClock clock;
  clock.follow(kNoon, steady(seconds(1)));
  EXPECT_EQ(clock.at(steady(seconds(1)), kNoon + hours(2)), kNoon + hours(2));
  clock.begin_to_lead(steady(seconds(2)), kNoon, kNoon);
  clock.stop_leading();
  EXPECT_EQ(clock.at(steady(seconds(3)), kNoon + hours(2)), kNoon + hours(2));
  clock.begin_to_lead(steady(seconds(4)), kNoon + hours(2), kNoon);
  EXPECT_EQ(clock.at(steady(seconds(4)), kNoon), kNoon + seconds(3)) << "led before: goes on";
}

// A store that nobody decides on.
class PlainStore final : public test::DeciderHarness {
 public:
  PlainStore() : DeciderHarness(Deciders()) {}
};

TEST(LatestTime, IsWhenTheLastOfTheObjectsWasStored) {
  PlainStore store;
  EXPECT_FALSE(is_set(latest_time(store.view())));
  store.put(test::ready_node("first"));
  store.advance(seconds(5));
  store.put(test::ready_node("last"));
  EXPECT_EQ(latest_time(store.view()), store.now());
}

TEST(LatestTime, OfChangesLeavesOutWhatIsGone) {
  model::Node node = test::ready_node("n");
  node.meta.updated_at = kNoon;
  const auto stored = std::make_shared<const model::Node>(node);
  EXPECT_EQ(latest_time({state::Change{state::NodePtr(), stored}}), kNoon);
  EXPECT_FALSE(is_set(latest_time({state::Change{stored, state::NodePtr()}})));
}

}  // namespace
}  // namespace swarm::manager
