#include "base/fault_counter.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(FaultCounter, TellsAFaultOnceAndThenItsCountNowAndThen) {
  FaultCounter faults;
  const TimePoint begin{};
  EXPECT_EQ(faults.failed("no answer", begin), 1U);
  for (int second = 1; second < 300; ++second) {
    EXPECT_EQ(faults.failed("no answer", begin + seconds(second)), 0U);
  }
  EXPECT_EQ(faults.failed("no answer", begin + kFaultReminder), 300U);
  EXPECT_EQ(faults.failed("no answer", begin + kFaultReminder + seconds(1)), 0U);
}

TEST(FaultCounter, TellsAnotherFaultAtOnce) {
  FaultCounter faults;
  EXPECT_EQ(faults.failed("no answer", TimePoint{}), 1U);
  EXPECT_EQ(faults.failed("refused", TimePoint{}), 1U);
}

TEST(FaultCounter, TellsTheEndOnceWithTheCountOfAll) {
  FaultCounter faults;
  EXPECT_EQ(faults.recovered(), 0U);
  (void)faults.failed("no answer", TimePoint{});
  (void)faults.failed("no answer", TimePoint{});
  (void)faults.failed("refused", TimePoint{});
  EXPECT_EQ(faults.recovered(), 3U);
  EXPECT_EQ(faults.recovered(), 0U);
  EXPECT_EQ(faults.failed("no answer", TimePoint{}), 1U) << "a new fault";
}

}  // namespace
}  // namespace swarm
