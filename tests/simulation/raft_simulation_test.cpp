#include <gtest/gtest.h>

#include "base/log.h"
#include "raft_simulation.h"

namespace swarm::test {
namespace {

// The libraries as they are shipped, without the optimisation of swarm-sim, whose campaign runs the
// many seeds: `swarm-sim raft --seed N --trace` shows what a seed of these does.
constexpr uint64_t kSeeds = 60;

TEST(RaftSimulation, GroupsStaySafeUnderFaultsAndAgreeAfterThem) {
  log::set_level(log::Level::error);
  RaftSimulation::Outcome total;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const RaftSimulation::Outcome outcome = RaftSimulation(seed).run();
    ASSERT_FALSE(outcome.violation) << "seed " << seed << ": " << *outcome.violation
                                    << "\nagain: swarm-sim raft --seed " << seed << " --trace";
    total.acknowledged += outcome.acknowledged;
    total.elections += outcome.elections;
    total.crashes += outcome.crashes;
  }
  // Runs in which nothing happens prove nothing.
  EXPECT_GT(total.acknowledged, 10 * kSeeds);
  EXPECT_GT(total.elections, kSeeds);
  EXPECT_GT(total.crashes, kSeeds);
}

TEST(RaftSimulation, SameSeedGivesTheSameRun) {
  log::set_level(log::Level::error);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const RaftSimulation::Outcome first = RaftSimulation(seed).run();
    const RaftSimulation::Outcome second = RaftSimulation(seed).run();
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
  }
}

}  // namespace
}  // namespace swarm::test
