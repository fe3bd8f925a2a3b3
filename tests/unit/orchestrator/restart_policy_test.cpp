#include "orchestrator/restart_policy.h"

#include <gtest/gtest.h>

#include "support/build.h"

namespace swarm::orchestrator {
namespace {

using model::RestartCondition;
using model::TaskState;

model::Task ended(TaskState state) {
  model::Task task;
  task.status.state = state;
  task.status.at = test::test_epoch();
  return task;
}

model::RestartPolicy policy(RestartCondition condition) {
  model::RestartPolicy policy;
  policy.condition = condition;
  return policy;
}

TEST(RestartPolicy, ConditionDecidesBetweenCompletionAndFailure) {
  EXPECT_TRUE(may_restart(policy(RestartCondition::any), ended(TaskState::complete)));
  EXPECT_TRUE(may_restart(policy(RestartCondition::any), ended(TaskState::failed)));
  EXPECT_FALSE(may_restart(policy(RestartCondition::on_failure), ended(TaskState::complete)));
  EXPECT_TRUE(may_restart(policy(RestartCondition::on_failure), ended(TaskState::rejected)));
  EXPECT_FALSE(may_restart(policy(RestartCondition::none), ended(TaskState::failed)));
}

TEST(RestartPolicy, MaxAttemptsWithoutAWindowCountForEver) {
  model::RestartPolicy limited = policy(RestartCondition::any);
  limited.max_attempts = 2;
  model::Task task = ended(TaskState::failed);
  task.window_started_at = test::test_epoch() - hours(100);
  task.window_restarts = 1;
  EXPECT_TRUE(may_restart(limited, task));
  task.window_restarts = 2;
  EXPECT_FALSE(may_restart(limited, task));
}

TEST(RestartPolicy, AttemptsBeforeTheWindowDoNotCount) {
  model::RestartPolicy limited = policy(RestartCondition::any);
  limited.max_attempts = 2;
  limited.window = minutes(1);
  model::Task task = ended(TaskState::failed);
  task.window_restarts = 2;
  task.window_started_at = test::test_epoch() - seconds(60);
  EXPECT_FALSE(may_restart(limited, task));
  task.window_started_at = test::test_epoch() - seconds(61);
  EXPECT_TRUE(may_restart(limited, task));
  EXPECT_EQ(next_attempt(limited, task, {}).window_restarts, 1U);
  EXPECT_EQ(next_attempt(limited, task, {}).window_started_at, test::test_epoch());
}

TEST(RestartPolicy, DelayDoublesUpToTheCap) {
  const model::RestartPolicy any = policy(RestartCondition::any);
  model::Task task = ended(TaskState::failed);
  const std::vector<Duration> expected = {seconds(5),  seconds(10),  seconds(20),  seconds(40),
                                          seconds(80), seconds(160), seconds(300), seconds(300)};
  for (const Duration delay : expected) {
    const Attempt attempt = next_attempt(any, task, seconds(5));
    EXPECT_EQ(attempt.delay, delay);
    task.restarts = attempt.restarts;
  }
  task.restarts = UINT32_MAX - 1;
  EXPECT_EQ(next_attempt(any, task, seconds(5)).delay, seconds(300));
}

TEST(RestartPolicy, AStopFromOutsideIsNoAttempt) {
  model::RestartPolicy limited = policy(RestartCondition::on_failure);
  limited.max_attempts = 2;
  model::Task task = ended(TaskState::failed);
  task.restarts = task.window_restarts = 2;
  ASSERT_FALSE(may_restart(limited, task));
  task.status.is_external_stop = true;
  EXPECT_TRUE(may_restart(limited, task));
  const Attempt attempt = next_attempt(limited, task, seconds(5));
  EXPECT_EQ(attempt.delay, limited.delay);
  EXPECT_EQ(attempt.restarts, 2U);
  EXPECT_EQ(attempt.window_restarts, 2U);
  limited.condition = RestartCondition::none;
  EXPECT_FALSE(may_restart(limited, task));
}

TEST(RestartPolicy, DelayLongerThanTheCapIsKept) {
  model::RestartPolicy slow = policy(RestartCondition::any);
  slow.delay = minutes(10);
  model::Task task = ended(TaskState::failed);
  task.restarts = 3;
  EXPECT_EQ(next_attempt(slow, task, {}).delay, minutes(10));
}

TEST(RestartPolicy, NoDelayStaysNoDelay) {
  model::RestartPolicy eager = policy(RestartCondition::any);
  eager.delay = Duration{0};
  model::Task task = ended(TaskState::failed);
  task.restarts = 30;
  EXPECT_EQ(next_attempt(eager, task, {}).delay, Duration{0});
}

TEST(RestartPolicy, StableRunStartsBackOffAnew) {
  const model::RestartPolicy any = policy(RestartCondition::any);
  model::Task task = ended(TaskState::failed);
  task.restarts = 6;
  task.status.running_since = task.status.at - seconds(9);
  EXPECT_EQ(next_attempt(any, task, seconds(5)).delay, seconds(300));
  task.status.running_since = task.status.at - seconds(10);
  EXPECT_EQ(next_attempt(any, task, seconds(5)).delay, seconds(5));
  EXPECT_EQ(next_attempt(any, task, seconds(5)).restarts, 1U);
  // A longer monitor window asks for a longer run.
  EXPECT_EQ(next_attempt(any, task, seconds(30)).delay, seconds(300));
}

}  // namespace
}  // namespace swarm::orchestrator
