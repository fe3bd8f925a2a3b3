#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "raft_simulation.h"

namespace swarm::test {
namespace {

constexpr uint64_t kSeeds = 200;

// SWARM_SEED=17 runs that seed alone; SWARM_SEEDS=1000-2000 a range.
std::pair<uint64_t, uint64_t> seeds() {
  if (const char* const one = std::getenv("SWARM_SEED")) {
    const uint64_t seed = std::strtoull(one, nullptr, 10);
    return {seed, seed + 1};
  }
  if (const char* const range = std::getenv("SWARM_SEEDS")) {
    char* rest = nullptr;
    const uint64_t first = std::strtoull(range, &rest, 10);
    return {first, *rest == '-' ? std::strtoull(rest + 1, nullptr, 10) : first + kSeeds};
  }
  return {1, kSeeds + 1};
}

void quiet() {
  log::set_level(std::getenv("SWARM_SEED") == nullptr ? log::Level::error : log::Level::debug);
}

TEST(RaftSimulation, GroupsStaySafeUnderFaultsAndAgreeAfterThem) {
  quiet();
  const auto [first, end] = seeds();
  RaftSimulation::Outcome total;
  size_t idle = 0;
  for (uint64_t seed = first; seed < end; ++seed) {
    const RaftSimulation::Outcome outcome = RaftSimulation(seed).run();
    if (outcome.violation) {
      FAIL() << "seed " << seed << ": " << *outcome.violation << "\nagain: SWARM_SEED=" << seed
             << " " << ::testing::internal::GetArgvs()[0];
    }
    total.events += outcome.events;
    total.acknowledged += outcome.acknowledged;
    total.elections += outcome.elections;
    total.crashes += outcome.crashes;
    idle += outcome.acknowledged < 10 ? 1 : 0;
  }
  std::printf("%llu events, %zu writes acknowledged, %zu elections, %zu crashes\n",
              static_cast<unsigned long long>(total.events), total.acknowledged, total.elections,
              total.crashes);
  if (end - first >= kSeeds) {
    // A run in which nothing was written proves nothing.
    EXPECT_LT(idle * 20, end - first) << "too many runs did no work";
    EXPECT_GT(total.elections, end - first);
    EXPECT_GT(total.crashes, end - first);
  }
}

TEST(RaftSimulation, SameSeedGivesTheSameRun) {
  quiet();
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const RaftSimulation::Outcome first = RaftSimulation(seed).run();
    const RaftSimulation::Outcome second = RaftSimulation(seed).run();
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
  }
}

}  // namespace
}  // namespace swarm::test
