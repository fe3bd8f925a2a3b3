#include "platform/resident_code.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace swarm::platform {
namespace {

// KiB of files that are mapped in, after proc(5).
int64_t resident_file_pages() {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    if (name == "RssFile:") {
      int64_t size = 0;
      status >> size;
      return size;
    }
  }
  return 0;
}

TEST(ResidentCode, WhatTheStartNeededIsGivenBackAndTheProgramGoesOn) {
  const std::string text = std::to_string(17);  // data written before
  const int64_t before = resident_file_pages();
  release_resident_code();
  const int64_t after = resident_file_pages();
  EXPECT_GT(before, 0);
  EXPECT_LT(after, before);
  EXPECT_EQ(text, "17");
}

}  // namespace
}  // namespace swarm::platform
