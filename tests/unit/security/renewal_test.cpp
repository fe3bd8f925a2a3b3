#include "security/renewal.h"

#include <gtest/gtest.h>

namespace swarm::security {
namespace {

constexpr WallTime kMade(hours(24 * 365 * 50));

Validity lasting(Duration time) {
  return {.not_before = kMade - kBackdate, .not_after = kMade + time};
}

TEST(Renewal, IsDueBetweenHalfAndFourFifthsOfTheLifetime) {
  for (const Duration time :
       {Duration(hours(24 * 90)), Duration(hours(1)), Duration(seconds(10))}) {
    EXPECT_EQ(renewal_time(lasting(time), 0), kMade + time / 2);
    EXPECT_NEAR(static_cast<double>((renewal_time(lasting(time), 1) - kMade).count()),
                static_cast<double>(time.count()) * 0.8, static_cast<double>(time.count()) * 1e-6);
  }
}

TEST(Renewal, OfACertificateThatIsOverIsDueAtOnce) {
  const Validity over{.not_before = kMade, .not_after = kMade + minutes(1)};
  EXPECT_EQ(renewal_time(over, 0.5), kMade + kBackdate);
}

TEST(Renewal, IsTriedManyTimesBeforeTheEnd) {
  EXPECT_EQ(renewal_retry(lasting(hours(24 * 90))), Duration(minutes(10)));
  EXPECT_EQ(renewal_retry(lasting(hours(1))), Duration(seconds(90)));
  EXPECT_EQ(renewal_retry(lasting(seconds(10))), Duration(milliseconds(500)));
}

}  // namespace
}  // namespace swarm::security
