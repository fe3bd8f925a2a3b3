#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::RolloutState;
using model::TaskState;
using model::UpdateOrder;

void stop_first(model::ServiceSpec& spec) {
  spec.update.edit().order = UpdateOrder::stop_first;
  spec.rollback.edit().order = UpdateOrder::stop_first;
}

// Slots whose task at the new revision does not run yet.
std::set<model::Slot> in_flight(const Swarm& swarm) {
  std::set<model::Slot> slots;
  for (const model::Task& task : swarm.tasks()) {
    if (task.revision == swarm.service()->revision && is_wanted(task) && !is_running(task)) {
      slots.insert(task.slot);
    }
  }
  return slots;
}

TEST(Rollout, StartFirstKeepsTheOldTaskUntilTheNewOneRuns) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  const model::TaskId old = swarm.only(1).id;
  swarm.update();
  ASSERT_EQ(swarm.wanted(1).size(), 2U);
  const model::Task next = swarm.wanted(1).back();
  EXPECT_EQ(next.desired, TaskState::running);
  EXPECT_TRUE(next.is_rollout);
  swarm.place_all();
  swarm.report(next.id, TaskState::starting);
  EXPECT_EQ(swarm.view().task(old)->desired, TaskState::running);
  swarm.report(next.id, TaskState::running);
  swarm.advance(seconds(5) - milliseconds(1));
  EXPECT_EQ(swarm.view().task(old)->desired, TaskState::running) << "the trial is not over";
  swarm.advance(milliseconds(1));
  EXPECT_EQ(swarm.view().task(old)->desired, TaskState::shutdown);
  EXPECT_EQ(swarm.only(1).revision, 2U);
}

TEST(Rollout, StopFirstNeverOverlapsOldAndNewHoweverLongTheOldTakes) {
  Swarm swarm;
  swarm.create(1, stop_first);
  swarm.settle();
  const model::TaskId old = swarm.only(1).id;
  swarm.stops = false;
  swarm.update();
  EXPECT_EQ(swarm.view().task(old)->desired, TaskState::shutdown);
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  EXPECT_EQ(swarm.only(1).predecessor, old);
  EXPECT_EQ(swarm.only(1).status.wait, model::WaitReason::predecessor);
  swarm.live_for(minutes(5), minutes(1));
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  swarm.report(old, TaskState::shutdown);
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
}

TEST(Rollout, StopFirstDoesNotWaitForATaskOnALostNode) {
  Swarm swarm;
  swarm.create(1, stop_first);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.stops = false;
  swarm.update();
  swarm.agents_act();
  swarm.lose_node(old.node.value());
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
}

TEST(Rollout, StopFirstDoesNotWaitForATaskThatNeverHadANode) {
  Swarm swarm(1, 0);
  swarm.create(1, stop_first);
  swarm.update();
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
  EXPECT_EQ(swarm.only(1).revision, 2U);
}

TEST(Rollout, MovesAtMostParallelismSlotsAtATime) {
  Swarm swarm;
  swarm.create(6, [](model::ServiceSpec& spec) { spec.update.edit().parallelism = 2; });
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  EXPECT_EQ(in_flight(swarm), (std::set<model::Slot>{1, 2}));
  swarm.place_all();
  swarm.report(swarm.wanted(2).back().id, TaskState::running);
  EXPECT_EQ(in_flight(swarm), (std::set<model::Slot>{1})) << "slot 2 keeps its place for its trial";
  swarm.advance(seconds(5));
  EXPECT_EQ(in_flight(swarm), (std::set<model::Slot>{1, 3}));
}

TEST(Rollout, ParallelismZeroMovesAllSlotsAtOnce) {
  Swarm swarm;
  swarm.create(6, [](model::ServiceSpec& spec) { spec.update.edit().parallelism = 0; });
  swarm.settle();
  swarm.update();
  EXPECT_EQ(in_flight(swarm).size(), 6U);
}

TEST(Rollout, DelayHoldsThePlaceOfASlotThatRuns) {
  Swarm swarm;
  swarm.create(2, [](model::ServiceSpec& spec) { spec.update.edit().delay = seconds(10); });
  swarm.settle();
  swarm.update();
  swarm.settle();
  EXPECT_EQ(swarm.running_at(2), 1U);
  swarm.advance(seconds(10) - milliseconds(1));
  swarm.settle();
  EXPECT_EQ(swarm.running_at(2), 1U);
  swarm.advance(milliseconds(1));
  swarm.settle();
  EXPECT_EQ(swarm.running_at(2), 2U);
}

TEST(Rollout, ClockOfANodeNeitherSkipsNorStretchesTheDelay) {
  for (const Duration skew : {Duration(-hours(1)), Duration(hours(1))}) {
    Swarm swarm;
    swarm.create(2, [](model::ServiceSpec& spec) { spec.update.edit().delay = seconds(10); });
    swarm.settle();
    swarm.update();
    swarm.place_all();
    model::Task next = swarm.wanted(1).back();
    next.status.state = TaskState::running;
    next.status.running_since = swarm.now() + skew;
    swarm.put(next);
    swarm.run();
    swarm.advance(seconds(9));
    EXPECT_EQ(swarm.wanted(2).size(), 1U);
    swarm.advance(seconds(1));
    EXPECT_EQ(swarm.wanted(2).size(), 2U);
  }
}

TEST(Rollout, SlotsThatServeNothingMoveFirst) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.fail(swarm.only(3).id);
  swarm.update();
  EXPECT_EQ(in_flight(swarm), (std::set<model::Slot>{3}));
}

TEST(Rollout, CompletesOneMonitorWindowAfterTheLastSlotRan) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  swarm.update();
  swarm.live_for(seconds(5));
  EXPECT_EQ(swarm.running_at(2), 2U);
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
  EXPECT_EQ(swarm.rollout().message, "update in progress");
  EXPECT_EQ(swarm.rollout().slots_changed, 2U);
  swarm.advance(seconds(5) - milliseconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating);
  swarm.advance(milliseconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_EQ(swarm.rollout().message, "update completed");
  EXPECT_EQ(swarm.rollout().completed_at, swarm.rollout().last_slot_ready_at + seconds(5));
}

TEST(Rollout, ServiceWithoutReplicasIsUpdatedAtOnce) {
  Swarm swarm;
  swarm.create(0);
  swarm.update();
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
}

TEST(Rollout, ManualRollbackFollowsTheRollbackPolicyAndTogglesForEver) {
  Swarm swarm;
  swarm.create(4, [](model::ServiceSpec& spec) { spec.rollback.edit().parallelism = 4; });
  swarm.settle();
  swarm.update();
  swarm.live_for(seconds(6));
  for (const model::RevisionNumber expected : {1U, 2U, 1U}) {
    swarm.roll_back();
    EXPECT_EQ(in_flight(swarm).size(), 4U);
    swarm.live_for(seconds(6));
    EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
    EXPECT_EQ(swarm.rollout().message, "rollback completed");
    EXPECT_EQ(swarm.running_at(expected), 4U);
    EXPECT_EQ(swarm.running(), 4U);
  }
}

// start-first, and neither task of the slot runs yet: the one that runs first must not push out the
// older one, which is what the rollback is to.
TEST(Rollout, RollbackBeforeAnythingRanEndsAtTheRevisionItWentTo) {
  Swarm swarm;
  swarm.starts = false;
  swarm.create(1);
  swarm.place_all();
  swarm.update();
  swarm.place_all();
  const std::vector<model::Task> both = swarm.wanted(1);
  ASSERT_EQ(both.size(), 2U);
  swarm.roll_back();
  swarm.report(both.back().id, TaskState::running);
  EXPECT_TRUE(is_wanted(*swarm.view().task(both.front().id)));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_started)
      << "what serves is not what was asked for";
  swarm.starts = true;
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(swarm.only(1).revision, 1U);
  EXPECT_EQ(swarm.running_at(1), 1U);
}

TEST(Rollout, RollbackToATaskThatNeverRunsFailsAtTheProgressDeadline) {
  Swarm swarm;
  swarm.starts = false;
  swarm.create(
      1, [](model::ServiceSpec& spec) { spec.rollback.edit().progress_deadline = minutes(1); });
  swarm.place_all();
  swarm.update();
  swarm.place_all();
  swarm.roll_back();
  swarm.live_for(minutes(1) - seconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_started);
  swarm.live_for(seconds(2));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_paused);
}

TEST(Rollout, NewUpdateReplacesARunningOne) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  swarm.place_all();
  const model::TaskId outdated = swarm.wanted(1).back().id;
  swarm.update();
  // What serves stays, what only started makes way.
  EXPECT_EQ(swarm.view().task(outdated)->desired, TaskState::shutdown);
  EXPECT_EQ(swarm.wanted(1).front().revision, 1U);
  EXPECT_EQ(swarm.wanted(1).back().revision, 3U);
  swarm.starts = true;
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.running_at(3), 3U);
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
}

TEST(Rollout, NewUpdateReplacesAPausedOne) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.live_for(seconds(1));
  ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
  swarm.update();
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.running_at(3), 3U);
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
}

TEST(Rollout, SlotThatReturnsToWhatItStillRunsIsNotReplaced) {
  Swarm swarm;
  swarm.create_converged(2, Swarm::serve_a_port);
  const model::TaskId old = swarm.only(2).id;
  swarm.starts = false;
  swarm.update();
  swarm.roll_back();
  EXPECT_EQ(swarm.only(1).revision, 1U);
  EXPECT_EQ(swarm.only(2).id, old);
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
}

TEST(Rollout, ScalingDuringAnUpdateWorksBothWays) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  swarm.scale(5);
  // New slots are at the new revision and take no place in flight.
  EXPECT_EQ(swarm.only(5).revision, 2U);
  EXPECT_FALSE(swarm.only(5).is_rollout);
  EXPECT_EQ(swarm.wanted(2).size(), 1U);
  swarm.scale(2);
  swarm.starts = true;
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.running_at(2), 2U);
  EXPECT_EQ(swarm.running(), 2U);
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
}

TEST(Rollout, LostNodeDoesNotTakeAPlaceInFlightWithIt) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  swarm.place_all();
  const model::Task first = swarm.wanted(1).back();
  swarm.lose_node(first.node.value());
  const model::Task again = swarm.wanted(1).back();
  EXPECT_NE(again.id, first.id);
  EXPECT_TRUE(again.is_rollout);
  EXPECT_EQ(again.revision, 2U);
  size_t moving = 0;
  for (const model::Task& task : swarm.tasks()) {
    moving += is_wanted(task) && task.revision == 2 ? 1 : 0;
  }
  EXPECT_EQ(moving, 1U);
}

TEST(Rollout, RunOnceServiceIsUpdatedAfterItCompleted) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.restart.edit().condition = model::RestartCondition::none;
  });
  swarm.settle();
  swarm.report(swarm.only(1).id, TaskState::complete, 0);
  swarm.update();
  swarm.settle();
  EXPECT_EQ(swarm.only(1).revision, 2U);
  swarm.report(swarm.only(1).id, TaskState::complete, 0);
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
}

TEST(Rollout, LargeServiceMovesInBoundedDecisions) {
  Swarm swarm;
  swarm.create(1'200, [](model::ServiceSpec& spec) {
    spec.update.edit().parallelism = 0;
    spec.update.edit().order = UpdateOrder::stop_first;
  });
  swarm.update();
  EXPECT_EQ(in_flight(swarm).size(), 1'200U);
  EXPECT_LE(swarm.largest_decision(), state::kMaxDecisions);
}

}  // namespace
}  // namespace swarm::orchestrator
