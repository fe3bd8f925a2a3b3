#include "api/write_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace swarm::api {
namespace {

TEST(WriteQueue, GivesOneMessageAtATimeInOrder) {
  WriteQueue<std::string> queue(100);
  EXPECT_EQ(queue.begin_write(), nullptr);
  EXPECT_TRUE(queue.push("a", 1));
  EXPECT_TRUE(queue.push("b", 1));
  const std::string* first = queue.begin_write();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(queue.begin_write(), nullptr);
  EXPECT_TRUE(queue.push("c", 1));
  EXPECT_EQ(*first, "a");  // stays where it is while others come
  queue.written();
  EXPECT_EQ(*queue.begin_write(), "b");
  queue.written();
  EXPECT_FALSE(queue.is_idle());
  EXPECT_EQ(*queue.begin_write(), "c");
  queue.written();
  EXPECT_TRUE(queue.is_idle());
}

TEST(WriteQueue, RefusesWhatDoesNotFitUntilThereIsRoom) {
  WriteQueue<std::string> queue(10);
  EXPECT_TRUE(queue.push("a", 8));
  EXPECT_FALSE(queue.push("b", 8));
  ASSERT_NE(queue.begin_write(), nullptr);
  queue.written();
  EXPECT_TRUE(queue.push("b", 8));
}

TEST(WriteQueue, TakesASingleMessageOfAnySize) {
  WriteQueue<std::string> queue(10);
  EXPECT_TRUE(queue.push("a", 1000));
  EXPECT_FALSE(queue.push("b", 1));
}

}  // namespace
}  // namespace swarm::api
