#include "runtime/probe/health_monitor.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "support/simulated_loop.h"

namespace swarm::runtime {
namespace {

// Answers at once (in a moment of its own) what it is told to.
class ScriptedCheck final : public Check {
 public:
  struct Log {
    bool answer = false;
    std::vector<TimePoint> runs;
  };

  ScriptedCheck(EventLoop& loop, Log& log) : loop_(loop), log_(log) {}

  void run(Duration, Done done) override {
    log_.runs.push_back(loop_.now());
    loop_.post([done = std::move(done), is_ok = log_.answer]() mutable {
      done({.is_ok = is_ok, .detail = is_ok ? "" : "refused"});
    });
  }

 private:
  EventLoop& loop_;
  Log& log_;
};

class Health : public testing::Test {
 protected:
  void start(HealthPolicy policy, bool is_healthy = false) {
    HealthMonitor::Events events;
    events.on_healthy = [this] { healthy_at_.push_back(loop_.now()); };
    events.on_unhealthy = [this](std::string why) {
      unhealthy_at_.push_back(loop_.now());
      why_ = std::move(why);
    };
    events.on_waiting = [this](const std::string& why) { waits_.push_back(why); };
    started_at_ = loop_.now();
    monitor_ = std::make_unique<HealthMonitor>(loop_, std::make_unique<ScriptedCheck>(loop_, log_),
                                               policy, std::move(events), is_healthy);
  }

  test::World world_;
  test::SimulatedLoop loop_{world_};
  ScriptedCheck::Log log_;
  std::vector<TimePoint> healthy_at_;
  std::vector<TimePoint> unhealthy_at_;
  std::string why_;
  std::vector<std::string> waits_;
  TimePoint started_at_;
  std::unique_ptr<HealthMonitor> monitor_;
};

constexpr HealthPolicy kPolicy{.interval = seconds(10), .timeout = seconds(5), .retries = 3};

TEST_F(Health, FirstCheckIsAtOnce) {
  log_.answer = true;
  start(kPolicy);
  world_.run_for(milliseconds(1));
  ASSERT_EQ(healthy_at_.size(), 1U);
  EXPECT_EQ(healthy_at_[0], started_at_);
}

TEST_F(Health, LooksOftenUntilTheFirstSuccess) {
  start(kPolicy);
  world_.run_for(milliseconds(340));
  EXPECT_EQ(log_.runs.size(), 3U) << "at 0, 50 and 150 ms";
  log_.answer = true;
  world_.run_for(milliseconds(20));
  EXPECT_EQ(healthy_at_.size(), 1U) << "at 350 ms";
}

TEST_F(Health, LooksLessOftenWithACheckThatCostsMore) {
  start(command_readiness_policy(seconds(5)));
  world_.run_for(minutes(1));
  EXPECT_GT(log_.runs.size(), 30U);
  EXPECT_LT(log_.runs.size(), 40U);
  EXPECT_TRUE(unhealthy_at_.empty()) << "the engine condemns, not this";
}

TEST_F(Health, HasteDoesNotCondemnSoonerThanIntervalsAndRetriesSay) {
  start(kPolicy);
  world_.run_for(seconds(29));
  EXPECT_TRUE(unhealthy_at_.empty());
  world_.run_for(seconds(3));
  ASSERT_EQ(unhealthy_at_.size(), 1U);
  EXPECT_EQ(why_, "refused");
}

TEST_F(Health, LongIntervalDoesNotDelayTheFirstSuccess) {
  HealthPolicy policy = kPolicy;
  policy.interval = minutes(10);
  start(policy);
  world_.run_for(seconds(5));
  log_.answer = true;
  world_.run_for(milliseconds(500));
  EXPECT_EQ(healthy_at_.size(), 1U);
}

TEST_F(Health, WhatItWaitsForIsToldOnceUntilItChanges) {
  start(kPolicy);
  world_.run_for(seconds(5));
  EXPECT_EQ(waits_, std::vector<std::string>{"refused"});
  log_.answer = true;
  world_.run_for(seconds(5));
  log_.answer = false;
  world_.run_for(seconds(15));
  EXPECT_EQ(waits_.size(), 1U) << "a healthy task does not wait";
}

TEST_F(Health, UnhealthyIsTheLastWord) {
  start(kPolicy);
  world_.run_for(minutes(1));
  ASSERT_EQ(unhealthy_at_.size(), 1U);
  const size_t runs = log_.runs.size();
  log_.answer = true;
  world_.run_for(minutes(10));
  EXPECT_EQ(log_.runs.size(), runs);
  EXPECT_TRUE(healthy_at_.empty());
}

TEST_F(Health, FailuresOfTheStartPeriodDoNotCount) {
  HealthPolicy policy = kPolicy;
  policy.start_period = minutes(5);
  start(policy);
  world_.run_for(minutes(4));
  EXPECT_TRUE(unhealthy_at_.empty());
  world_.run_for(minutes(2));
  EXPECT_EQ(unhealthy_at_.size(), 1U);
}

TEST_F(Health, HealthyTaskIsCheckedEveryInterval) {
  log_.answer = true;
  start(kPolicy);
  world_.run_for(seconds(35));
  EXPECT_EQ(log_.runs.size(), 4U);
  EXPECT_EQ(healthy_at_.size(), 1U);
}

TEST_F(Health, HealthyTaskIsGivenUpAfterRetriesInARow) {
  log_.answer = true;
  start(kPolicy);
  world_.run_for(seconds(5));
  log_.answer = false;
  world_.run_for(seconds(20));
  EXPECT_TRUE(unhealthy_at_.empty());
  log_.answer = true;
  world_.run_for(seconds(10));
  log_.answer = false;
  world_.run_for(seconds(20));
  EXPECT_TRUE(unhealthy_at_.empty()) << "a success in between starts the count anew";
  world_.run_for(seconds(10));
  EXPECT_EQ(unhealthy_at_.size(), 1U);
}

TEST_F(Health, TaskFoundAgainHealthyIsNotAnnouncedAgain) {
  log_.answer = true;
  start(kPolicy, true);
  world_.run_for(minutes(1));
  EXPECT_TRUE(healthy_at_.empty());
  EXPECT_EQ(log_.runs.size(), 7U);
}

TEST_F(Health, ReadinessNeverGivesUpAndEndsWithTheFirstSuccess) {
  start(readiness_policy());
  world_.run_for(hours(1));
  EXPECT_TRUE(unhealthy_at_.empty());
  EXPECT_GE(log_.runs.size(), 7000U) << "every 500 ms";
  log_.answer = true;
  world_.run_for(seconds(1));
  EXPECT_EQ(healthy_at_.size(), 1U);
  const size_t runs = log_.runs.size();
  world_.run_for(hours(1));
  EXPECT_EQ(log_.runs.size(), runs);
}

TEST_F(Health, CallbackMayDestroyTheMonitor) {
  log_.answer = true;
  HealthMonitor::Events events;
  bool is_healthy = false;
  events.on_healthy = [&] {
    monitor_.reset();
    is_healthy = true;
  };
  monitor_ = std::make_unique<HealthMonitor>(loop_, std::make_unique<ScriptedCheck>(loop_, log_),
                                             kPolicy, std::move(events));
  world_.run_for(minutes(1));
  EXPECT_TRUE(is_healthy);
  EXPECT_EQ(log_.runs.size(), 1U);
}

TEST(HealthPolicies, TakeWhatTheCheckSetsAndDefaultsForTheRest) {
  model::HealthCheck check;
  check.interval = seconds(1);
  check.retries = 7;
  const HealthPolicy policy = health_policy(check);
  EXPECT_EQ(policy.interval, seconds(1));
  EXPECT_EQ(policy.retries, 7);
  EXPECT_EQ(policy.timeout, HealthPolicy().timeout);
}

}  // namespace
}  // namespace swarm::runtime
