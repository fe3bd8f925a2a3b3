#include "base/secret.h"

#include <gtest/gtest.h>

#include <string>

namespace swarm {
namespace {

TEST(EqualSecrets, ComparesEveryCharacter) {
  EXPECT_TRUE(equal_secrets("", ""));
  EXPECT_TRUE(equal_secrets("abc", "abc"));
  EXPECT_FALSE(equal_secrets("abc", "abd"));
  EXPECT_FALSE(equal_secrets("abc", "bbc"));
  EXPECT_FALSE(equal_secrets("abc", "ab"));
  EXPECT_FALSE(equal_secrets(std::string("a\0b", 3), std::string("a\0c", 3)));
}

}  // namespace
}  // namespace swarm
