#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "fuzz/mutator.h"
#include "fuzz/target.h"

namespace swarm::fuzz {
namespace {

constexpr int kMutations = 10'000;

class Fuzz : public testing::TestWithParam<Target> {};

std::string shown(const std::string& input) {
  return "\ninput: \"" + absl::CEscape(input) + '"';
}

TEST_P(Fuzz, SeedsAreAccepted) {
  const Target& target = GetParam();
  for (const std::string& seed : target.seeds()) {
    const Result<bool> is_accepted = target.run(seed);
    ASSERT_TRUE(is_accepted.ok()) << is_accepted.status() << shown(seed);
    EXPECT_TRUE(*is_accepted) << shown(seed);
  }
}

TEST_P(Fuzz, MutationsDoNoHarm) {
  const Target& target = GetParam();
  const std::vector<std::string> seeds = target.seeds();
  Random random(1);
  int accepted = 0;
  for (int i = 0; i < kMutations; ++i) {
    const std::string input = mutate(seeds, random);
    const Result<bool> is_accepted = target.run(input);
    ASSERT_TRUE(is_accepted.ok()) << is_accepted.status() << shown(input);
    accepted += *is_accepted ? 1 : 0;
  }
  // Mutations that are all refused at the door would prove little.
  EXPECT_GT(accepted, kMutations / 100);
}

INSTANTIATE_TEST_SUITE_P(All, Fuzz, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace swarm::fuzz
