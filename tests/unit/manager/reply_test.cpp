#include "manager/reply.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace swarm::manager {
namespace {

class ReplyTest : public ::testing::Test {
 protected:
  Reply<Status> reply() {
    return Reply<Status>([this](Status status) { heard_.push_back(std::move(status)); });
  }
  std::vector<Status> heard_;
};

TEST_F(ReplyTest, GivesItsAnswerOnce) {
  {
    Reply<Status> answer = reply();
    answer(absl::NotFoundError("no such service"));
  }
  ASSERT_EQ(heard_.size(), 1U);
  EXPECT_TRUE(absl::IsNotFound(heard_[0]));
}

TEST_F(ReplyTest, DestroyedWithoutAnAnswerSaysUnavailable) {
  {
    const Reply<Status> answer = reply();
  }
  ASSERT_EQ(heard_.size(), 1U);
  EXPECT_TRUE(absl::IsUnavailable(heard_[0]));
}

TEST_F(ReplyTest, MovedOnItIsTheNewOwnersToGive) {
  {
    Reply<Status> first = reply();
    Reply<Status> second(std::move(first));
    second(absl::OkStatus());
  }
  ASSERT_EQ(heard_.size(), 1U);
  EXPECT_TRUE(heard_[0].ok());
}

TEST_F(ReplyTest, ACallbackThatIsDroppedAnswers) {
  {
    absl::AnyInvocable<void()> posted = [answer = reply()]() mutable { answer(absl::OkStatus()); };
  }
  ASSERT_EQ(heard_.size(), 1U);
  EXPECT_TRUE(absl::IsUnavailable(heard_[0]));
}

TEST_F(ReplyTest, WorksForResults) {
  std::vector<Result<int>> results;
  {
    Reply<Result<int>> answer([&results](Result<int> result) { results.push_back(result); });
  }
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(absl::IsUnavailable(results[0].status()));
}

}  // namespace
}  // namespace swarm::manager
