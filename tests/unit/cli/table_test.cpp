#include "cli/table.h"

#include <gtest/gtest.h>

#include "cli/escape.h"

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

TEST(Table, ElasticColumnsAreCutToTheTerminal) {
  const std::string error = '"' + std::string(60, 'e') + '"';
  const std::vector<std::vector<std::string>> rows = {{"ID", "ERROR", "PORTS"},
                                                      {"1", error, "*:80->80"}};
  EXPECT_EQ(layout_table(rows, {.width = 70, .elastic = {1}}),
            "ID        ERROR                                               PORTS\n"
            "1         \"" +
                std::string(46, 'e') + "…\"   *:80->80\n");
  EXPECT_EQ(layout_table(rows, {.width = 0, .elastic = {1}}), layout_table(rows));
  EXPECT_EQ(layout_table(rows, {.width = 100, .elastic = {1}}), layout_table(rows));
  EXPECT_EQ(layout_table(rows, {.width = 70, .elastic = {}}), layout_table(rows));
}

TEST(Table, ACauseIsNeverCutToNothing) {
  const std::vector<std::vector<std::string>> rows = {{"ID", "ERROR"}, {"1", std::string(60, 'e')}};
  EXPECT_EQ(layout_table(rows, {.width = 20, .elastic = {1}}),
            "ID        ERROR\n1         " + std::string(kMinElastic - 1, 'e') + "…\n");
}

TEST(Escape, ControlCharactersAreShownAsTheirNumbers) {
  EXPECT_EQ(escaped("plain \u00e9 text\n\tend"), "plain \u00e9 text\n\tend");
  EXPECT_EQ(escaped(std::string("\x1b[2J\a\b\r\x7f\0", 9)),
            "\\u001b[2J\\u0007\\u0008\\u000d\\u007f\\u0000");
  EXPECT_EQ(escaped("\u009b2J \u00a0"), "\\u009b2J \u00a0");
  EXPECT_EQ(on_one_line("a\nb\r\n\tc"), "a b   c");
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
