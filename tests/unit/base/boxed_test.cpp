#include "base/boxed.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace swarm {
namespace {

struct Weather {
  int degrees = 20;
  std::string word;

  bool operator==(const Weather&) const = default;
};

TEST(Boxed, AbsentReadsAsTheDefaultAndEqualsIt) {
  const Boxed<Weather> absent;
  EXPECT_FALSE(absent.has_value());
  EXPECT_EQ(absent->degrees, 20);
  EXPECT_EQ(absent, Boxed<Weather>(Weather{}));
  EXPECT_NE(absent, Boxed<Weather>(Weather{.degrees = 21, .word = {}}));
  EXPECT_EQ(sizeof(absent), sizeof(void*));
}

TEST(Boxed, EditMakesOneAndKeepsIt) {
  Boxed<Weather> boxed;
  boxed.edit().word = "rain";
  EXPECT_TRUE(boxed);
  boxed.edit().degrees = 7;
  EXPECT_EQ(boxed, Boxed<Weather>(Weather{.degrees = 7, .word = "rain"}));
}

TEST(Boxed, CopiesAreOnTheirOwn) {
  Boxed<Weather> first = Weather{.degrees = 7, .word = "rain"};
  Boxed<Weather> second = first;
  second.edit().degrees = 8;
  EXPECT_EQ(first->degrees, 7);
  first = second;
  second.edit().degrees = 9;
  EXPECT_EQ(first->degrees, 8);
  const Boxed<Weather>& itself = first;
  first = itself;
  EXPECT_EQ(first->word, "rain");
}

TEST(Boxed, AMoveLeavesNothing) {
  Boxed<Weather> first = Weather{.degrees = 7, .word = "rain"};
  const Boxed<Weather> second = std::move(first);
  EXPECT_EQ(second->degrees, 7);
  EXPECT_FALSE(first.has_value());  // NOLINT(bugprone-use-after-move): a promise of Boxed
}

TEST(Boxed, ADefaultIsDroppedOnRequestAndNothingElse) {
  Boxed<Weather> boxed = Weather{};
  boxed.drop_if_default();
  EXPECT_FALSE(boxed.has_value());
  boxed.edit().word = "rain";
  boxed.drop_if_default();
  EXPECT_TRUE(boxed.has_value());
  boxed = std::nullopt;
  EXPECT_FALSE(boxed.has_value());
}

}  // namespace
}  // namespace swarm
