#include "runtime/probe/check_output.h"

#include <gtest/gtest.h>

namespace swarm::runtime {
namespace {

TEST(CheckOutput, IsOneLineWithoutBlanksAround) {
  EXPECT_EQ(tell_output("\n  no database\n"), "no database");
  EXPECT_EQ(tell_output("one\ntwo\tthree"), "one\\ntwo\\tthree");
  EXPECT_EQ(tell_output(" \n"), "");
}

TEST(CheckOutput, ControlCharactersAndBrokenTextAreEscaped) {
  EXPECT_EQ(tell_output("\x1b[31mred\x7f"), "\\x1b[31mred\\x7f");
  EXPECT_EQ(tell_output("Zürich"), "Zürich");
  EXPECT_EQ(tell_output("a\xff"
                        "b\xc3"),
            "a\\xffb\\xc3");
  EXPECT_EQ(tell_output("\xc2\x9b"
                        "31m"),
            "\\xc2\\x9b31m")
      << "a control sequence in one character";
}

TEST(CheckOutput, TheEndOfALongTextIsKept) {
  const std::string told = tell_output(std::string(10'000, 'x') + "the cause");
  EXPECT_EQ(told.size(), kMaxToldOutput + 3);
  EXPECT_TRUE(told.starts_with("...x"));
  EXPECT_TRUE(told.ends_with("the cause"));
}

}  // namespace
}  // namespace swarm::runtime
