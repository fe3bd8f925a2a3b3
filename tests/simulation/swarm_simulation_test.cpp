#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "swarm_simulation.h"

namespace swarm::test {
namespace {

constexpr uint64_t kSeeds = 50;

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

TEST(SwarmSimulation, SwarmsStaySafeUnderFaultsAndBecomeAsDeclaredAfterThem) {
  quiet();
  const auto [first, end] = seeds();
  SwarmSimulation::Outcome total;
  size_t failures = 0;
  for (uint64_t seed = first; seed < end; ++seed) {
    const SwarmSimulation::Outcome outcome = SwarmSimulation(seed).run();
    if (outcome.violation) {
      ADD_FAILURE() << "seed " << seed << ": " << *outcome.violation
                    << "\nagain: SWARM_SEED=" << seed << " " << ::testing::internal::GetArgvs()[0];
      if (++failures == 5) {
        break;
      }
    }
    total.events += outcome.events;
    total.acknowledged += outcome.acknowledged;
    total.terms += outcome.terms;
    total.crashes += outcome.crashes;
  }
  std::printf("%llu events, %zu writes acknowledged, %zu terms, %zu crashes\n",
              static_cast<unsigned long long>(total.events), total.acknowledged, total.terms,
              total.crashes);
  if (end - first >= kSeeds) {
    // A run in which nothing was written proves nothing.
    EXPECT_GT(total.acknowledged, 10 * (end - first));
    EXPECT_GT(total.terms, end - first);
    EXPECT_GT(total.crashes, 0U);
  }
}

TEST(SwarmSimulation, SameSeedGivesTheSameRun) {
  quiet();
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const SwarmSimulation::Outcome first = SwarmSimulation(seed).run();
    const SwarmSimulation::Outcome second = SwarmSimulation(seed).run();
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
  }
}

}  // namespace
}  // namespace swarm::test
