#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace swarm {
namespace {

TEST(Random, RepeatsUnderASeed) {
  Random a(7);
  Random b(7);
  Random other(8);
  const uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, other.next());
}

TEST(Random, ForksOfDifferentNamesDiffer) {
  Random a(7);
  Random b(7);
  EXPECT_NE(a.fork("disk").next(), b.fork("network").next());
}

TEST(Random, StaysBelowItsBoundAndReachesAllValues) {
  Random random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = random.below(7);
    ASSERT_LT(value, 7U);
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 7U);
}

TEST(RandomId, Has25Base36Characters) {
  Random random(1);
  const std::string id = random_id(random);
  EXPECT_EQ(id.size(), 25U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  EXPECT_NE(id, random_id(random));
}

}  // namespace
}  // namespace swarm
