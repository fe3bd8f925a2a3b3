#include "model/signals.h"

#include <gtest/gtest.h>

namespace swarm::model {
namespace {

TEST(Signals, AreReadInEveryFormThatEnginesTake) {
  EXPECT_EQ(parse_signal("SIGTERM"), 15);
  EXPECT_EQ(parse_signal("term"), 15);
  EXPECT_EQ(parse_signal("15"), 15);
  EXPECT_EQ(parse_signal("SIGRTMIN"), 34);
  EXPECT_EQ(parse_signal("RTMIN+3"), 37);
  EXPECT_EQ(parse_signal("SIGRTMAX-1"), 63);
}

TEST(Signals, ThatDoNotExistAreNone) {
  for (const char* const text : {"", "SIG", "SIGFOO", "0", "-1", "65", "9x", "RTMIN-1", "RTMIN+16",
                                 "RTMIN+", "RTMAX+1", "SIGSIGTERM"}) {
    EXPECT_EQ(parse_signal(text), std::nullopt) << text;
  }
}

TEST(Signals, HaveNames) {
  EXPECT_EQ(signal_name(9), "SIGKILL");
  EXPECT_EQ(signal_name(6), "SIGABRT");
  EXPECT_EQ(signal_name(35), "");
  EXPECT_EQ(signal_name(0), "");
}

}  // namespace
}  // namespace swarm::model
