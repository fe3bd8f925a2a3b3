#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::FailureAction;
using model::RolloutState;
using model::TaskState;

TEST(RolloutFailure, PauseStopsMovingAndNamesTheTask) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.update();
  swarm.place_all();
  const model::TaskId bad = swarm.wanted(1).back().id;
  swarm.fail(bad);
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_EQ(swarm.rollout().message, "update paused due to failure or early termination of task " +
                                         bad.value() + ": web.1 on node host-node1: exit code 1");
  EXPECT_EQ(swarm.rollout().cause, "web.1 on node host-node1: exit code 1");
  EXPECT_EQ(swarm.rollout().failed_slots, (std::set<model::Slot>{1}));
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.running_at(1), 3U);
}

TEST(RolloutFailure, FailureWithinTheMonitorWindowCounts) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  swarm.update();
  swarm.settle();
  swarm.advance(seconds(4));
  swarm.fail(swarm.wanted(1).back().id);
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
}

TEST(RolloutFailure, FailureAfterTheMonitorWindowIsARestart) {
  Swarm swarm;
  swarm.create(2, [](model::ServiceSpec& spec) { spec.update.edit().delay = seconds(20); });
  swarm.settle();
  swarm.update();
  swarm.settle();
  swarm.advance(seconds(6));
  swarm.fail(swarm.only(1).id);
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_EQ(swarm.running_at(2), 2U);
}

TEST(RolloutFailure, RatioIsOfTheSlotsTheUpdateSetOutToChange) {
  Swarm swarm;
  swarm.create(4, [](model::ServiceSpec& spec) {
    spec.update.edit().max_failure_ratio = 0.5;
    spec.update.edit().parallelism = 0;
  });
  swarm.settle();
  swarm.update();
  swarm.place_all();
  swarm.fail(swarm.wanted(1).back().id);
  swarm.fail(swarm.wanted(2).back().id);
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
  // The restarted tasks of a slot that failed do not count again.
  swarm.advance(seconds(5));
  swarm.place_all();
  swarm.fail(swarm.wanted(1).back().id);
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
  swarm.fail(swarm.wanted(3).back().id);
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_EQ(swarm.rollout().failed_slots.size(), 3U);
}

TEST(RolloutFailure, ContinueGoesThroughAllSlotsAndCompletes) {
  Swarm swarm;
  swarm.create(3, [](model::ServiceSpec& spec) {
    spec.update.edit().failure_action = FailureAction::continue_on;
  });
  swarm.settle();
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_EQ(swarm.rollout().failed_slots.size(), 3U);
  // start-first: what ran before still does.
  EXPECT_EQ(swarm.running_at(1), 3U);
  // Once the tasks can run the slots follow.
  swarm.bad_revisions.clear();
  swarm.live_for(minutes(6), seconds(10));
  EXPECT_EQ(swarm.running_at(2), 3U);
  EXPECT_EQ(swarm.running(), 3U);
}

TEST(RolloutFailure, RollbackReturnsToTheRevisionBefore) {
  Swarm swarm;
  swarm.create_converged(3, [](model::ServiceSpec& spec) {
    spec.update.edit().failure_action = FailureAction::rollback;
    spec.update.edit().max_failure_ratio = 0.4;
    spec.update.edit().monitor = Duration{0};
  });
  swarm.update();
  swarm.place_all();
  swarm.report(swarm.wanted(1).back().id, TaskState::running);
  swarm.place_all();
  swarm.fail(swarm.wanted(2).back().id);
  ASSERT_EQ(swarm.rollout().state, RolloutState::updating);
  swarm.place_all();
  const model::TaskId bad = swarm.wanted(3).back().id;
  swarm.fail(bad);
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_started);
  EXPECT_EQ(swarm.rollout().message,
            "update rolled back due to failure or early termination of task " + bad.value() + ": " +
                swarm.rollout().cause);
  EXPECT_TRUE(swarm.rollout().is_automatic);
  EXPECT_EQ(swarm.rollout().from, 2U);
  EXPECT_EQ(swarm.rollout().to, 1U);
  EXPECT_EQ(swarm.service()->revision, 1U);
  EXPECT_EQ(swarm.view().template_of(*swarm.service()).container.image, "web:1");
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(swarm.rollout().message,
            "rollback completed; revision 2 failed: " + swarm.rollout().cause);
  EXPECT_EQ(swarm.running_at(1), 3U);
  EXPECT_EQ(swarm.running(), 3U);
}

TEST(RolloutFailure, RollbackLosesNoRevision) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.update.edit().failure_action = FailureAction::rollback;
  });
  swarm.settle();
  swarm.update();
  swarm.live_for(seconds(6));
  swarm.bad_revisions = {3};
  swarm.update();
  swarm.live_for(seconds(6));
  EXPECT_EQ(swarm.service()->revision, 2U);
  EXPECT_EQ(swarm.service()->last_revision, 3U);
  EXPECT_EQ(swarm.service()->previous_revision, 1U) << "as before the update that failed";
  EXPECT_EQ(swarm.view().revisions_of(swarm.web()).size(), 3U);
}

TEST(RolloutFailure, FailedRollbackPausesAndNeverTurnsAgain) {
  Swarm swarm;
  swarm.create(2, [](model::ServiceSpec& spec) {
    spec.rollback.edit().failure_action = FailureAction::rollback;
  });
  swarm.settle();
  swarm.update();
  swarm.live_for(seconds(10));
  swarm.bad_revisions = {1};
  swarm.roll_back();
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_paused);
  EXPECT_THAT(swarm.rollout().message, testing::StartsWith("rollback paused due to"));
  EXPECT_EQ(swarm.running_at(2), 2U);
}

TEST(RolloutFailure, TaskThatDoesNotRunByTheDeadlineCountsAsFailed) {
  Swarm swarm;
  swarm.create(2,
               [](model::ServiceSpec& spec) { spec.update.edit().progress_deadline = minutes(1); });
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  swarm.advance(minutes(1) - milliseconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
  swarm.advance(milliseconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_THAT(swarm.rollout().message, testing::HasSubstr("did not run within 1m0s"));
  EXPECT_EQ(swarm.running_at(1), 2U);
}

TEST(RolloutFailure, StuckUpdateWithRollbackGoesBackByItself) {
  Swarm swarm;
  swarm.create_converged(2, [](model::ServiceSpec& spec) {
    spec.update.edit().progress_deadline = minutes(1);
    spec.update.edit().failure_action = FailureAction::rollback;
  });
  swarm.starts = false;
  swarm.update();
  swarm.live_for(minutes(2));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(swarm.only(1).revision, 1U);
  EXPECT_EQ(swarm.running(), 2U);
}

TEST(RolloutFailure, WithoutADeadlineItWaits) {
  Swarm swarm;
  swarm.create(
      1, [](model::ServiceSpec& spec) { spec.update.edit().progress_deadline = Duration{0}; });
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  swarm.advance(hours(24));
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
}

TEST(RolloutFailure, CompletionCountsOnlyWhereTasksAreToRunForEver) {
  for (const auto condition : {model::RestartCondition::any, model::RestartCondition::on_failure}) {
    Swarm swarm;
    swarm.create(1,
                 [&](model::ServiceSpec& spec) { spec.task.restart.edit().condition = condition; });
    swarm.settle();
    swarm.update();
    swarm.place_all();
    swarm.report(swarm.wanted(1).back().id, TaskState::complete, 0);
    EXPECT_EQ(swarm.rollout().state, condition == model::RestartCondition::any
                                         ? RolloutState::paused
                                         : RolloutState::updating);
  }
}

TEST(RolloutFailure, FailuresOfAnEarlierRolloutToTheSameRevisionDoNotCount) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.live_for(seconds(1));
  ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
  swarm.roll_back();
  swarm.live_for(seconds(10));
  swarm.bad_revisions.clear();
  swarm.roll_back();
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(swarm.running_at(2), 1U);
}

TEST(RolloutFailure, IsCountedAlsoWhenNoHistoryIsKept) {
  Swarm swarm;
  model::Cluster cluster;
  cluster.task_history_limit = 0;
  swarm.put(cluster);
  swarm.create(4, [](model::ServiceSpec& spec) {
    spec.update.edit().max_failure_ratio = 0.3;
    spec.update.edit().parallelism = 2;
    spec.task.restart.edit().delay = Duration{0};
    spec.task.restart.edit().max_attempts = 1;
  });
  swarm.settle();
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.live_for(seconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_EQ(swarm.rollout().failed_slots.size(), 2U);
}

TEST(RolloutFailure, AStopFromOutsideIsNoFailureOfTheVersionButItsSuccessorMayFail) {
  for (const bool is_bad : {false, true}) {
    Swarm swarm;
    swarm.create_converged(2);
    swarm.update();
    swarm.settle();
    ASSERT_EQ(swarm.running_at(2), 1U);
    const auto running = [&swarm] {
      for (const model::Task& task : swarm.tasks()) {
        if (task.revision == 2 && is_running(task)) return task;
      }
      return model::Task{};
    };
    model::Task stopped = running();
    stopped.status.state = model::TaskState::failed;
    stopped.status.at = swarm.now();
    stopped.status.is_external_stop = true;  // its engine was restarted
    swarm.put(stopped);
    swarm.run();
    EXPECT_EQ(swarm.rollout().state, model::RolloutState::updating);
    if (is_bad) swarm.bad_revisions = {2};
    swarm.live_for(seconds(40));
    EXPECT_EQ(swarm.rollout().state,
              is_bad ? model::RolloutState::paused : model::RolloutState::completed);
  }
}

}  // namespace
}  // namespace swarm::orchestrator
