#include "platform/allocator.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <vector>

namespace swarm::platform {
namespace {

TEST(Allocator, PutsNothingAsideThatItWouldHaveToJoinLater) {
  join_freed_memory_at_once();
  std::vector<std::unique_ptr<char[]>> pieces;
  for (int i = 0; i < 10'000; ++i) {
    pieces.push_back(std::make_unique<char[]>(64));
  }
  // A piece beside each keeps it from being joined, so that it stays what it was freed as.
  for (size_t i = 0; i < pieces.size(); i += 2) {
    pieces[i].reset();
  }
  EXPECT_EQ(mallinfo2().fsmblks, 0u) << "bytes in fast bins";
}

}  // namespace
}  // namespace swarm::platform
