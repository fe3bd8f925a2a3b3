#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "fuzz/mutator.h"
#include "fuzz/target.h"

namespace swarm::fuzz {
namespace {

constexpr int kMutations = 10'000;

class Fuzz : public testing::TestWithParam<Target> {};

TEST_P(Fuzz, SeedsHold) {
  const Target& target = GetParam();
  for (const std::string& seed : target.seeds()) {
    const Status status = target.run(seed);
    EXPECT_TRUE(status.ok()) << status << "\ninput: \"" << absl::CEscape(seed) << '"';
  }
}

TEST_P(Fuzz, MutationsHold) {
  const Target& target = GetParam();
  const std::vector<std::string> seeds = target.seeds();
  Random random(1);
  for (int i = 0; i < kMutations; ++i) {
    const std::string input = mutate(seeds, random);
    const Status status = target.run(input);
    ASSERT_TRUE(status.ok()) << status << "\ninput: \"" << absl::CEscape(input) << '"';
  }
}

INSTANTIATE_TEST_SUITE_P(All, Fuzz, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace swarm::fuzz
