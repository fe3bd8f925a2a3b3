#include "unit/orchestrator/harness.h"

// The first slots of a rollout are its trial: what a bad version can take along.
namespace swarm::orchestrator {
namespace {

using model::RolloutState;
using model::TaskState;
using model::UpdateOrder;

// Runs the agents for `duration`; tasks of revision 2 die `lifetime` after they began to run.
// Returns the fewest tasks of revision 1 that ran at any time.
size_t live_with_a_dying_version(Swarm& swarm, Duration lifetime, Duration duration) {
  size_t fewest = swarm.running_at(1);
  const WallTime end = swarm.now() + duration;
  while (swarm.now() < end) {
    swarm.settle();
    fewest = std::min(fewest, swarm.running_at(1));
    swarm.advance(milliseconds(100));
    for (const model::Task& task : swarm.tasks()) {
      if (task.revision == 2 && task.status.state == TaskState::running &&
          swarm.now() - task.status.running_since >= lifetime) {
        swarm.fail(task.id);
        fewest = std::min(fewest, swarm.running_at(1));
      }
    }
  }
  return fewest;
}

class Trial : public testing::TestWithParam<Duration> {};
INSTANTIATE_TEST_SUITE_P(Lifetimes, Trial,
                         testing::Values(Duration{}, milliseconds(500), seconds(3),
                                         milliseconds(4'900)),
                         [](const auto& info) {
                           return std::to_string(info.param / milliseconds(1)) + "ms";
                         });

TEST_P(Trial, WithStartFirstNoOldTaskStops) {
  for (const uint64_t parallelism : {1, 2}) {
    for (const bool has_port : {false, true}) {
      Swarm swarm;
      swarm.create_converged(4, [&](model::ServiceSpec& spec) {
        spec.update.edit().parallelism = parallelism;
        if (has_port) Swarm::serve_a_port(spec);
      });
      swarm.update();
      EXPECT_EQ(live_with_a_dying_version(swarm, GetParam(), minutes(2)), 4U);
      EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
    }
  }
}

TEST_P(Trial, WithStopFirstAtMostParallelismSlotsLeaveTheOldVersion) {
  for (const uint64_t parallelism : {1, 3}) {
    Swarm swarm;
    swarm.create_converged(6, [&](model::ServiceSpec& spec) {
      spec.update.edit().parallelism = parallelism;
      spec.update.edit().order = UpdateOrder::stop_first;
    });
    swarm.update();
    EXPECT_EQ(live_with_a_dying_version(swarm, GetParam(), minutes(2)), 6 - parallelism);
    EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  }
}

TEST_P(Trial, ItsFailureRollsBackWithoutALostTask) {
  Swarm swarm;
  swarm.create_converged(4, [](model::ServiceSpec& spec) {
    spec.update.edit().failure_action = model::FailureAction::rollback;
  });
  swarm.update();
  EXPECT_EQ(live_with_a_dying_version(swarm, GetParam(), minutes(1)), 4U);
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(swarm.running(), 4U);
}

TEST(RolloutTrial, OnceItIsPassedPlacesAreFreeAtTheDelay) {
  Swarm swarm;
  swarm.create_converged(4, Swarm::serve_a_port);
  swarm.update();
  swarm.settle();
  EXPECT_EQ(swarm.running_at(2), 1U);
  EXPECT_FALSE(is_set(swarm.rollout().trial_passed_at));
  swarm.advance(seconds(5));
  EXPECT_TRUE(is_set(swarm.rollout().trial_passed_at));
  swarm.settle();
  EXPECT_EQ(swarm.running_at(2), 4U);
  EXPECT_EQ(swarm.running_at(1), 0U);
}

// A place that the trial has freed is taken at once: what starts there is not tried for as long.
TEST(RolloutTrial, SlotsThatMoveMeanwhileDoNotProlongIt) {
  Swarm swarm;
  swarm.create_converged(6, [](model::ServiceSpec& spec) {
    spec.update.edit().parallelism = 2;
    spec.update.edit().order = UpdateOrder::stop_first;
  });
  swarm.starts = false;
  swarm.update();
  swarm.settle();
  const auto moved = [&swarm] {
    std::vector<model::TaskId> ids;
    for (const model::Task& task : swarm.tasks()) {
      if (task.revision == 2) ids.push_back(task.id);
    }
    return ids;
  };
  ASSERT_EQ(moved().size(), 2U);
  const std::vector<model::TaskId> first = moved();
  swarm.report(first[0], TaskState::running);
  swarm.advance(seconds(2));
  swarm.report(first[1], TaskState::running);
  swarm.advance(seconds(3));
  swarm.settle();
  ASSERT_EQ(moved().size(), 3U);
  for (const model::TaskId& id : moved()) {
    if (id != first[0] && id != first[1]) swarm.report(id, TaskState::running);
  }
  swarm.advance(seconds(2));
  EXPECT_TRUE(is_set(swarm.rollout().trial_passed_at));
  swarm.settle();
  EXPECT_EQ(moved().size(), 5U);
}

TEST(RolloutTrial, AnotherUpdateMeanwhileLeavesWhatConverged) {
  for (const uint64_t replicas : {1, 3}) {
    Swarm swarm;
    swarm.create_converged(replicas);
    swarm.update();
    swarm.settle();
    ASSERT_EQ(swarm.running_at(2), 1U);
    swarm.live_for(seconds(2));
    swarm.bad_revisions.insert(3);
    swarm.update();
    swarm.live_for(seconds(2));
    for (const model::Task& task : swarm.tasks()) {
      if (task.revision == 2 && task.status.state == TaskState::running) swarm.fail(task.id);
    }
    swarm.live_for(minutes(1));
    EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
    EXPECT_EQ(swarm.running_at(1), replicas);
    EXPECT_EQ(swarm.running_at(2), 0U);
  }
}

TEST(RolloutTrial, ATaskWithoutPortOrCheckTakesOverWhenItHasRunForTheMinimum) {
  Swarm swarm;
  swarm.create_converged(2);
  swarm.update();
  swarm.live_for(seconds(5));
  ASSERT_EQ(swarm.running_at(2), 2U);
  EXPECT_EQ(swarm.running_at(1), 1U) << "slot 2 keeps its old task for min ready";
  swarm.live_for(seconds(1));
  EXPECT_EQ(swarm.running_at(1), 0U);
}

TEST(RolloutTrial, ANewLeaderHoldsOnToIt) {
  Swarm swarm;
  swarm.create_converged(3);
  swarm.update();
  swarm.settle();
  swarm.advance(seconds(3));
  swarm.new_leader(7);
  swarm.run();
  EXPECT_EQ(swarm.running_at(1), 3U);
  swarm.fail(swarm.wanted(1).back().id);
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_EQ(swarm.running_at(1), 3U);
}

TEST(RolloutTrial, SlotsAddedMeanwhileAreAtTheRevisionThatConverged) {
  for (const auto state : {RolloutState::updating, RolloutState::paused}) {
    Swarm swarm;
    swarm.create_converged(2);
    swarm.starts = false;
    swarm.update();
    swarm.change_service([&](model::Service& service) {
      service.rollout.edit().state = state;
      service.settings.replicas = 3;
    });
    EXPECT_EQ(swarm.wanted(3).front().revision, 1U);
  }
}

// As control/services.cpp does when a service that stands still is updated.
void resume(Swarm& swarm) {
  swarm.change_service([&](model::Service& service) {
    model::Rollout again;
    again.state = RolloutState::updating;
    again.from = service.rollout->from;
    again.to = service.rollout->to;
    again.started_at = swarm.now();
    service.rollout = std::move(again);
  });
}

TEST_P(Trial, AResumedRolloutIsJudgedLikeANewOneAndTakesNoOtherSlot) {
  for (const UpdateOrder order : {UpdateOrder::stop_first, UpdateOrder::start_first}) {
    for (const bool has_port : {false, true}) {
      for (const uint64_t replicas : {1, 4}) {
        Swarm swarm;
        swarm.create_converged(replicas, [&](model::ServiceSpec& spec) {
          spec.update.edit().order = order;
          if (has_port) Swarm::serve_a_port(spec);
        });
        swarm.update();
        const size_t left = live_with_a_dying_version(swarm, GetParam(), minutes(1));
        ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
        for (const Duration rest : {Duration{}, Duration(seconds(3)), Duration(seconds(30))}) {
          live_with_a_dying_version(swarm, GetParam(), rest);
          resume(swarm);
          EXPECT_EQ(live_with_a_dying_version(swarm, GetParam(), minutes(1)), left);
          EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
          EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U));
        }
      }
    }
  }
}

TEST_P(Trial, AnUpdateBackToARevisionThatFailedIsJudged) {
  Swarm swarm;
  swarm.create_converged(
      1, [&](model::ServiceSpec& spec) { spec.update.edit().order = UpdateOrder::stop_first; });
  swarm.update();
  live_with_a_dying_version(swarm, GetParam(), minutes(1));
  ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
  swarm.bad_revisions = {3};
  swarm.update();
  live_with_a_dying_version(swarm, GetParam(), seconds(10));
  ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
  swarm.change_service([&](model::Service& service) {
    model::Rollout back;
    back.state = RolloutState::updating;
    back.from = 3;
    back.to = service.revision = 2;
    back.started_at = swarm.now();
    service.rollout = std::move(back);
  });
  live_with_a_dying_version(swarm, GetParam(), minutes(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U));
}

TEST(RolloutTrial, AResumedRolloutThatWorksNowEnds) {
  Swarm swarm;
  swarm.create_converged(3);
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.live_for(seconds(10));
  ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
  swarm.bad_revisions = {};
  resume(swarm);
  swarm.live_for(seconds(30));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_EQ(swarm.running_at(2), 3U);
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U, 2U));
}

}  // namespace
}  // namespace swarm::orchestrator
