#include "security/base36.h"

#include <gtest/gtest.h>

#include <vector>

namespace swarm::security {
namespace {

TEST(Base36, PadsWithZerosToTheWidth) {
  EXPECT_EQ(to_base36(std::vector<unsigned char>{0}, 3), "000");
  EXPECT_EQ(to_base36(std::vector<unsigned char>{35}, 3), "00z");
  EXPECT_EQ(to_base36(std::vector<unsigned char>{1, 0}, 3), "074");  // 256 = 7 * 36 + 4
}

TEST(Base36, TheLargestNumbersFitTheWidthsOfATokensParts) {
  EXPECT_EQ(to_base36(std::vector<unsigned char>(16, 0xff), 25), "f5lxx1zz5pnorynqglhzmsp33");
  EXPECT_EQ(to_base36(std::vector<unsigned char>(32, 0xff), 50),
            "6dp5qcb22im238nr3wvp0ic7q99w035jmy2iw7i6n43d37jtof");
}

TEST(Base36DeathTest, ANumberThatDoesNotFitEndsTheProcess) {
  EXPECT_DEATH(to_base36(std::vector<unsigned char>{1, 0}, 1), "does not fit in 1 base-36");
}

}  // namespace
}  // namespace swarm::security
