#include "model/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"

namespace swarm::model {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Labels, AreInTheOrderOfTheirKeys) {
  EXPECT_THAT((Labels{{"b", "2"}, {"a", "1"}, {"c", "3"}}),
              ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c", "3")));
}

TEST(Labels, BehaveAsAMap) {
  Random random(11);
  Labels labels;
  std::map<std::string, std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = std::to_string(random.next() % 40);
    if (random.next() % 3 == 0) {
      EXPECT_EQ(labels.erase(key), expected.erase(key));
    } else {
      const std::string value = std::to_string(i);
      labels[key] = value;
      expected[key] = value;
    }
    const std::string asked = std::to_string(random.next() % 40);
    const auto found = labels.find(asked);
    ASSERT_EQ(found == labels.end(), !expected.contains(asked));
    EXPECT_EQ(labels.contains(asked), expected.contains(asked));
    if (found != labels.end()) {
      EXPECT_EQ(found->second, expected[asked]);
    }
    EXPECT_EQ(labels.size(), expected.size());
    EXPECT_EQ(labels.empty(), expected.empty());
  }
  EXPECT_TRUE(std::equal(
      labels.begin(), labels.end(), expected.begin(), expected.end(),
      [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
}

TEST(Labels, AreMadeOfAListUnlessAKeyOccursTwice) {
  std::string repeated;
  const auto made = Labels::from({{"b", "2"}, {"a", "1"}}, repeated);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(*made, (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(Labels::from({{"b", "2"}, {"a", "1"}, {"b", "2"}}, repeated).has_value());
  EXPECT_EQ(repeated, "b");
  EXPECT_TRUE(Labels::from({}, repeated)->empty());
}

}  // namespace
}  // namespace swarm::model
