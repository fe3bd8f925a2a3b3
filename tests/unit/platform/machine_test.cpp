#include "platform/machine.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "platform/process.h"

namespace swarm::platform {
namespace {

TEST(Machine, AFileSystemHasSpace) {
  const auto space = disk_space("/");
  ASSERT_TRUE(space.ok()) << space.status();
  EXPECT_GT(space->total_bytes, 0);
  EXPECT_GE(space->total_bytes, space->free_bytes);
  EXPECT_FALSE(disk_space("/no/such/folder").ok());
}

TEST(Machine, DescriptorsThatAreOpenAreCounted) {
  const int64_t self = current_process().pid;
  const auto before = descriptor_use(self);
  ASSERT_TRUE(before.ok()) << before.status();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/dev/null", "r"),
                                                             &std::fclose);
  const auto after = descriptor_use(self);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->used, before->used + 1);
  EXPECT_GT(after->limit, 0);
}

}  // namespace
}  // namespace swarm::platform
