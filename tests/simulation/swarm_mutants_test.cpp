#include <gtest/gtest.h>

#include "base/log.h"
#include "scheduler/mutants.h"
#include "swarm_simulation.h"

namespace swarm::test {
namespace {

// The simulation finds the mistake in one of the first seeds.
bool is_found(scheduler::Mutant mutant) {
  constexpr uint64_t kSeeds = 20;
  log::set_level(log::Level::error);
  scheduler::chosen_mutant = mutant;
  bool is_found = false;
  for (uint64_t seed = 1; seed <= kSeeds && !is_found; ++seed) {
    is_found = SwarmSimulation(seed).run().violation.has_value();
  }
  scheduler::chosen_mutant = scheduler::Mutant::none;
  return is_found;
}

TEST(SwarmMutants, APredecessorThatCountsIsFound) {
  EXPECT_TRUE(is_found(scheduler::Mutant::predecessor_counts));
}

TEST(SwarmMutants, AHomeWithoutASayIsFound) {
  EXPECT_TRUE(is_found(scheduler::Mutant::home_has_no_say));
}

}  // namespace
}  // namespace swarm::test
