#include "base/units.h"

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(Duration, ReadsGoSyntax) {
  EXPECT_EQ(*parse_duration("300ms"), milliseconds(300));
  EXPECT_EQ(*parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(*parse_duration("1h30m"), minutes(90));
  EXPECT_EQ(*parse_duration("0"), Duration{0});
  EXPECT_EQ(*parse_duration("-2s"), seconds(-2));
  EXPECT_EQ(*parse_duration("3us"), microseconds(3));
  EXPECT_EQ(*parse_duration("3µs"), microseconds(3));
}

TEST(Duration, AFractionMayBeOfAnyLength) {
  EXPECT_EQ(*parse_duration("1." + std::string(200, '2') + "s"), Duration(1'222'222'222));
}

TEST(Duration, RefusesWhatIsNotADuration) {
  for (const char* text : {"", "5", "s", "1.5", "1x", "1s2", "9999999999h", "1 s", "..s", "-"}) {
    const auto result = parse_duration(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(result.status().message().find("1h30m"), std::string::npos) << text;
  }
}

TEST(Duration, WritesTheShortestExactForm) {
  EXPECT_EQ(format_duration(Duration{0}), "0s");
  EXPECT_EQ(format_duration(milliseconds(1500)), "1.5s");
  EXPECT_EQ(format_duration(milliseconds(250)), "250ms");
  EXPECT_EQ(format_duration(minutes(90)), "1h30m0s");
  EXPECT_EQ(format_duration(seconds(61)), "1m1s");
  EXPECT_EQ(format_duration(nanoseconds(7)), "7ns");
  EXPECT_EQ(format_duration(seconds(-5)), "-5s");
}

TEST(Duration, WritesTheExtremes) {
  EXPECT_EQ(format_duration(Duration::max()), "2562047h47m16.854775807s");
  EXPECT_EQ(format_duration(Duration::min()), "-2562047h47m16.854775807s");
}

TEST(Duration, SurvivesARoundTrip) {
  for (const int64_t count : {1LL, 999LL, 1'001LL, 1'000'001LL, 59'999'999'999LL,
                              3'600'000'000'001LL, 86'400'000'000'000LL}) {
    EXPECT_EQ(*parse_duration(format_duration(Duration{count})), Duration{count});
  }
}

TEST(Bytes, ReadsBinaryUnits) {
  EXPECT_EQ(*parse_bytes("512m"), 512 << 20);
  EXPECT_EQ(*parse_bytes("1.5GiB"), 3LL << 29);
  EXPECT_EQ(*parse_bytes("64kb"), 64 << 10);
  EXPECT_EQ(*parse_bytes("10"), 10);
  EXPECT_EQ(*parse_bytes("10b"), 10);
}

TEST(Bytes, RefusesWhatIsNotASize) {
  for (const char* text : {"", "m", "1x", "1mm", "-1", "99999999999p", "1 k", "1bb"}) {
    EXPECT_FALSE(parse_bytes(text).ok()) << text;
  }
}

TEST(Bytes, WritesOneUnit) {
  EXPECT_EQ(format_bytes(0), "0B");
  EXPECT_EQ(format_bytes(512 << 20), "512MiB");
  EXPECT_EQ(format_bytes(3LL << 29), "1.5GiB");
}

TEST(NanoCpus, KeepsNineDecimalsAndRefusesMore) {
  EXPECT_EQ(*parse_nano_cpus("0.5"), 500'000'000);
  EXPECT_EQ(*parse_nano_cpus("2"), 2'000'000'000);
  EXPECT_EQ(*parse_nano_cpus("0.000000001"), 1);
  EXPECT_FALSE(parse_nano_cpus("0.0000000001").ok());
  EXPECT_FALSE(parse_nano_cpus("half").ok());
  EXPECT_EQ(format_nano_cpus(1'250'000'000), "1.25");
}

TEST(Integer, NamesTheRange) {
  EXPECT_EQ(*parse_integer("7", 1, 10, "count"), 7);
  const auto result = parse_integer("70000", 1, 65535, "port");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().message(),
            "invalid port \"70000\": write a whole number from 1 to 65535");
}

TEST(Time, IsRfc3339InUtc) {
  EXPECT_EQ(format_time(WallTime{}), "");
  EXPECT_EQ(format_time(WallTime(seconds(1'700'000'000) + nanoseconds(5))),
            "2023-11-14T22:13:20.000000005Z");
}

TEST(Age, RoundsToOneUnit) {
  EXPECT_EQ(format_age(milliseconds(20)), "Less than a second");
  EXPECT_EQ(format_age(seconds(5)), "5 seconds");
  EXPECT_EQ(format_age(seconds(90)), "About a minute");
  EXPECT_EQ(format_age(minutes(45)), "45 minutes");
  EXPECT_EQ(format_age(hours(5)), "5 hours");
  EXPECT_EQ(format_age(hours(24 * 3)), "3 days");
}

}  // namespace
}  // namespace swarm
