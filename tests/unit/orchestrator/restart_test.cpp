#include "orchestrator/restart.h"

#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::TaskState;
using model::WaitReason;

TEST(Restart, FailedTaskIsReplacedInItsSlotAfterTheDelay) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.fail(old.id);
  EXPECT_EQ(swarm.view().task(old.id)->desired, TaskState::shutdown);
  model::Task next = swarm.only(1);
  EXPECT_NE(next.id, old.id);
  EXPECT_EQ(next.desired, TaskState::ready);
  EXPECT_EQ(next.not_before, swarm.now() + seconds(5));
  EXPECT_EQ(next.status.wait, WaitReason::restart_delay);
  EXPECT_EQ(next.restarts, 1U);

  swarm.settle();
  swarm.advance(seconds(5) - milliseconds(1));
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  swarm.advance(milliseconds(1));
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
  EXPECT_EQ(swarm.only(1).status.wait, WaitReason::none);
}

TEST(Restart, DelayIsKeptByANewLeader) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  swarm.fail(swarm.only(1).id);
  swarm.advance(seconds(4));
  swarm.new_leader(9);
  swarm.settle();
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  swarm.advance(seconds(1));
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
}

TEST(Restart, EveryWayToEndUnaskedCounts) {
  for (const TaskState state :
       {TaskState::complete, TaskState::shutdown, TaskState::failed, TaskState::rejected}) {
    Swarm swarm;
    swarm.create(1);
    swarm.settle();
    const model::TaskId old = swarm.only(1).id;
    swarm.report(old, state);
    EXPECT_NE(swarm.only(1).id, old) << model::to_string(state);
  }
}

TEST(Restart, CrashLoopBacksOffAndAStableRunResetsIt) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  for (const Duration delay : {seconds(5), seconds(10), seconds(20)}) {
    swarm.fail(swarm.only(1).id);
    EXPECT_EQ(swarm.only(1).not_before, swarm.now() + delay);
    swarm.advance(delay);
    swarm.settle();
    EXPECT_EQ(swarm.running(), 1U);
  }
  swarm.advance(seconds(10));
  swarm.fail(swarm.only(1).id);
  EXPECT_EQ(swarm.only(1).not_before, swarm.now() + seconds(5));
}

TEST(Restart, TaskThatFailsWhileItIsHeldIsNotTriedAgainBeforeItsDelay) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  swarm.fail(swarm.only(1).id);
  const model::Task held = swarm.only(1);
  swarm.place_all();
  swarm.report(held.id, TaskState::rejected);
  EXPECT_EQ(swarm.only(1).id, held.id);
  swarm.advance(seconds(4));
  swarm.new_leader(8);
  swarm.run();
  EXPECT_EQ(swarm.only(1).id, held.id);
  swarm.advance(seconds(1));
  EXPECT_NE(swarm.only(1).id, held.id);
  EXPECT_EQ(swarm.only(1).not_before, held.not_before + seconds(10));
}

TEST(Restart, MaxAttemptsLeaveTheSlotEmptyAcrossLeadersAndReaping) {
  Swarm swarm;
  model::Cluster cluster;
  cluster.task_history_limit = 0;
  swarm.put(cluster);
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.restart.edit().max_attempts = 2;
    spec.task.restart.edit().delay = Duration{0};
  });
  swarm.bad_revisions = {1};
  swarm.settle();
  ASSERT_EQ(swarm.tasks().size(), 1U);
  EXPECT_EQ(swarm.tasks()[0].window_restarts, 2U);
  EXPECT_EQ(swarm.tasks()[0].desired, TaskState::shutdown);
  swarm.new_leader(3);
  swarm.live_for(minutes(2));
  EXPECT_EQ(swarm.tasks().size(), 1U);
}

TEST(Restart, MaxAttemptsAreCountedAnewForANewRevision) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.restart.edit().max_attempts = 1;
    spec.task.restart.edit().delay = Duration{0};
  });
  swarm.bad_revisions = {1};
  swarm.settle();
  EXPECT_EQ(swarm.running(), 0U);
  swarm.update();
  swarm.settle();
  EXPECT_EQ(swarm.running_at(2), 1U);
  EXPECT_EQ(swarm.only(1).window_restarts, 0U);
}

TEST(Restart, OnFailureLeavesCompletedTasks) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.restart.edit().condition = model::RestartCondition::on_failure;
  });
  swarm.settle();
  swarm.fail(swarm.only(1).id);
  swarm.live_for(seconds(6));
  EXPECT_EQ(swarm.running(), 1U);
  swarm.report(swarm.only(1).id, TaskState::complete, 0);
  swarm.live_for(seconds(30));
  EXPECT_TRUE(swarm.wanted(1).empty());
}

TEST(Restart, OldTaskThatCrashesDuringAnUpdateComesBackAtItsOwnRevision) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.starts = false;
  swarm.update();  // slot 1 is in flight
  ASSERT_EQ(swarm.wanted(1).size(), 2U);
  swarm.fail(swarm.only(3).id);
  EXPECT_EQ(swarm.only(3).revision, 1U);
  EXPECT_FALSE(swarm.only(3).is_rollout);
}

TEST(Restart, OldTaskThatCrashesWhileItsSuccessorStartsIsNotReplaced) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  swarm.starts = false;
  swarm.update();
  const model::TaskId old = swarm.wanted(1).front().id;
  swarm.fail(old);
  EXPECT_EQ(swarm.only(1).revision, 2U);
}

TEST(Restart, PausedUpdateRestartsEachTaskAtItsOwnRevision) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  swarm.starts = false;
  swarm.update();  // slot 1 is in flight
  swarm.change_service([&](model::Service& service) {
    service.rollout.edit().state = model::RolloutState::paused;
    service.rollout.edit().trial_passed_at = swarm.now();
  });
  swarm.starts = true;
  swarm.live_for(seconds(1));
  EXPECT_EQ(swarm.only(1).revision, 2U);
  swarm.fail(swarm.only(1).id);
  swarm.fail(swarm.only(2).id);
  EXPECT_EQ(swarm.only(1).revision, 2U);
  EXPECT_EQ(swarm.only(2).revision, 1U);
}

TEST(Restart, PausedUpdateLeavesTheSlotToTheOldTaskThatServes) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.settle();
  ASSERT_EQ(swarm.rollout().state, model::RolloutState::paused);
  swarm.live_for(minutes(2));
  EXPECT_EQ(swarm.only(1).revision, 1U);
  EXPECT_EQ(swarm.only(2).revision, 1U);
  EXPECT_EQ(swarm.running_at(1), 2U);
  // A crash of an old one does not bring the new revision in.
  swarm.fail(swarm.only(1).id);
  EXPECT_EQ(swarm.only(1).revision, 1U);
}

TEST(Restart, ManyTasksEndingAtOnceAreReplacedInBoundedDecisions) {
  Swarm swarm;
  swarm.create(900);
  state::ChangeSet all;
  for (model::Task task : swarm.tasks()) {
    task.node = model::NodeId("node1");
    task.status.state = TaskState::failed;
    all.put(task);
  }
  swarm.commit(std::move(all));
  swarm.run();
  EXPECT_EQ(swarm.wanted_slots().size(), 900U);
  EXPECT_EQ(swarm.tasks().size(), 1'800U);
  EXPECT_LE(swarm.largest_decision(), state::kMaxDecisions);
}

}  // namespace
}  // namespace swarm::orchestrator
