#include "cli/table.h"

#include <gtest/gtest.h>

namespace swarm::cli {
namespace {

TEST(Table, ColumnsAreTenWideOrTheirLongestCellAndThree) {
  EXPECT_EQ(layout_table({{"ID", "LONG HEADER", "X"}, {"1", "b", "c"}}),
            "ID        LONG HEADER   X\n"
            "1         b             c\n");
}

TEST(Table, WidthCountsCharactersNotBytes) {
  EXPECT_EQ(layout_table({{"éééééééé", "x"}, {"aaaaaaaa", "y"}}), "éééééééé   x\naaaaaaaa   y\n");
}

TEST(Table, CutsTextAtCharactersAndMarksIt) {
  EXPECT_EQ(cut_to_width("short", 5), "short");
  EXPECT_EQ(cut_to_width("longer", 5), "long…");
  EXPECT_EQ(cut_to_width("ééééé", 3), "éé…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(NaturalOrder, ComparesDigitsAsNumbers) {
  EXPECT_TRUE(natural_less("web2", "web10"));
  EXPECT_FALSE(natural_less("web10", "web2"));
  EXPECT_TRUE(natural_less("web2a", "web10"));
  EXPECT_TRUE(natural_less("a", "b"));
  EXPECT_TRUE(natural_less("web", "web1"));
  EXPECT_FALSE(natural_less("web", "web"));
}

TEST(NaturalOrder, IsStrictForNumbersOfAnyLength) {
  const std::string big(100, '9');
  EXPECT_TRUE(natural_less("a" + big, "a1" + big));
  EXPECT_FALSE(natural_less("a1" + big, "a" + big));
  EXPECT_FALSE(natural_less("a007", "a7") && natural_less("a7", "a007"));
}

}  // namespace
}  // namespace swarm::cli
