#include "agent/status_reporter.h"

#include <gtest/gtest.h>

#include "support/simulated_loop.h"

namespace swarm::agent {
namespace {

using model::TaskId;
using model::TaskState;

struct ReporterTest : testing::Test {
  test::World world;
  test::SimulatedLoop loop{world};
  std::vector<std::vector<model::TaskReport>> batches;
  StatusReporter reporter{loop, [this](auto batch) { batches.push_back(std::move(batch)); }};

  void report(const std::string& task, TaskState state) {
    model::TaskStatus status;
    status.state = state;
    reporter.report(TaskId(task), status);
  }
};

TEST_F(ReporterTest, ReportsThatComeTogetherGoUpTogether) {
  reporter.connected();
  report("a", TaskState::running);
  world.run_for(kReportDelay / 2);
  report("b", TaskState::running);
  EXPECT_TRUE(batches.empty());
  world.run_for(kReportDelay / 2);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].size(), 2u);
}

TEST_F(ReporterTest, ANewerStatusReplacesOneThatWasNotSent) {
  reporter.connected();
  report("a", TaskState::starting);
  report("a", TaskState::running);
  world.run_for(kReportDelay);
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].size(), 1u);
  EXPECT_EQ(batches[0][0].status.state, TaskState::running);
}

TEST_F(ReporterTest, AStatusThatDidNotChangeIsNotSentAgain) {
  reporter.connected();
  report("a", TaskState::running);
  world.run_for(kReportDelay);
  report("a", TaskState::running);
  world.run_for(seconds(1));
  EXPECT_EQ(batches.size(), 1u);
}

TEST_F(ReporterTest, ANewSessionGetsEverything) {
  reporter.connected();
  report("a", TaskState::running);
  report("b", TaskState::failed);
  world.run_for(kReportDelay);
  reporter.disconnected();
  report("a", TaskState::complete);
  world.run_for(seconds(1));
  ASSERT_EQ(batches.size(), 1u);
  reporter.connected();
  ASSERT_EQ(batches.size(), 2u);
  ASSERT_EQ(batches[1].size(), 2u);
  EXPECT_EQ(batches[1][0].status.state, TaskState::complete);
}

TEST_F(ReporterTest, AForgottenTaskIsNotReportedAgain) {
  reporter.connected();
  report("a", TaskState::shutdown);
  world.run_for(kReportDelay);
  ASSERT_EQ(batches.size(), 1u);
  reporter.forget(TaskId("a"));
  world.run_for(seconds(1));
  reporter.disconnected();
  reporter.connected();
  EXPECT_EQ(batches.size(), 1u);
}

// A container may be gone sooner than its end would be reported; the manager waits for that.
TEST_F(ReporterTest, TheEndOfATaskIsToldBeforeItIsForgotten) {
  reporter.connected();
  report("a", TaskState::shutdown);
  reporter.forget(TaskId("a"));
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].size(), 1u);
  EXPECT_EQ(batches[0][0].status.state, TaskState::shutdown);
  world.run_for(seconds(1));
  EXPECT_EQ(batches.size(), 1u);
}

TEST_F(ReporterTest, WhatIsForgottenWhileDisconnectedIsNotTold) {
  report("a", TaskState::shutdown);
  reporter.forget(TaskId("a"));
  reporter.connected();
  EXPECT_TRUE(batches.empty());
}

TEST_F(ReporterTest, ManyStatusesAreSentInBoundedMessages) {
  for (size_t task = 0; task < kMaxReports * 2 + 1; ++task) {
    report("t" + std::to_string(task), TaskState::running);
  }
  reporter.connected();
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].size(), kMaxReports);
  EXPECT_EQ(batches[2].size(), 1u);
}

}  // namespace
}  // namespace swarm::agent
