#include "security/join_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm::security {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDigest(50, 'd');
const std::string kSecret(25, 's');

TEST(JoinToken, FormatsAndParsesBack) {
  const JoinToken token{.digest = kDigest, .secret = kSecret};
  const std::string text = format_join_token(token);
  EXPECT_EQ(text, "SWMTKN-1-" + kDigest + "-" + kSecret);
  const Result<JoinToken> parsed = parse_join_token(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, token);
}

class GarbledToken : public ::testing::TestWithParam<std::string> {};

TEST_P(GarbledToken, IsRefusedWithTheRightFormAndWithoutItsText) {
  const Result<JoinToken> parsed = parse_join_token(GetParam());
  ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(parsed.status().message(), HasSubstr("invalid join token"));
  EXPECT_THAT(parsed.status().message(), HasSubstr("SWMTKN-1-<50 characters>-<25 characters>"));
  EXPECT_THAT(parsed.status().message(), Not(HasSubstr("ssss")));
}

INSTANTIATE_TEST_SUITE_P(
    All, GarbledToken,
    ::testing::Values("", "token", "SWMTKN-1-", "SWMTKN-2-" + kDigest + "-" + kSecret,
                      "swmtkn-1-" + kDigest + "-" + kSecret, "SWMTKN-1-" + kDigest + kSecret,
                      "SWMTKN-1-" + kDigest + "-" + kSecret + "s",
                      "SWMTKN-1-" + kDigest + "-" + kSecret.substr(1),
                      "SWMTKN-1-" + kDigest + "d-" + kSecret.substr(1),
                      "SWMTKN-1-" + kDigest + "-" + std::string(25, 'S'),
                      "SWMTKN-1-" + std::string(50, '.') + "-" + kSecret,
                      " SWMTKN-1-" + kDigest + "-" + kSecret,
                      "SWMTKN-1-" + kDigest + "-" + kSecret + "\n",
                      "SWMTKN-1-" + kDigest + "-" + std::string(24, 's') + std::string(1, '\0')));

}  // namespace
}  // namespace swarm::security
