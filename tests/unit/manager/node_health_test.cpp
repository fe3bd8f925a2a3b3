#include "manager/node_health.h"

#include <gmock/gmock.h>

namespace swarm::manager {
namespace {

using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

TEST(NodeHealth, ADiskIsTroubleWhenItIsNearlyFullOrReadOnly) {
  EXPECT_EQ(disk_trouble("/s", {.total_bytes = 1000 * kMiB, .free_bytes = 40 * kMiB}), "");
  EXPECT_THAT(disk_trouble("/s", {.total_bytes = 1000 * kMiB, .free_bytes = 31 * kMiB}),
              HasSubstr("/s of 1000 MiB is nearly full"));
  EXPECT_THAT(disk_trouble("/s", {.total_bytes = 10'000 * kMiB, .free_bytes = 99 * kMiB}),
              HasSubstr("nearly full"));
  EXPECT_THAT(disk_trouble(
                  "/s", {.total_bytes = kMiB << 10, .free_bytes = kMiB << 9, .is_read_only = true}),
              HasSubstr("read-only"));
}

TEST(NodeHealth, DescriptorsAreTroubleWhenMostAreUsed) {
  EXPECT_EQ(descriptor_trouble("swarmd", {.used = 819, .limit = 1024}), "");
  EXPECT_EQ(descriptor_trouble("swarmd", {.used = 820, .limit = 1024}),
            "swarmd uses more than 80 % of its 1024 file descriptors: raise its limit");
  EXPECT_EQ(descriptor_trouble("swarmd", {.used = 820, .limit = 0}), "");
}

}  // namespace
}  // namespace swarm::manager
