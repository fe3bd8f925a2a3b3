#include "orchestrator/orchestrators.h"
#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::TaskState;
using testing::Test;

TEST(Replicated, CreatesOnePendingTaskPerReplica) {
  Swarm swarm;
  swarm.create(3);
  ASSERT_EQ(swarm.tasks().size(), 3U);
  EXPECT_EQ(swarm.wanted_slots(), (std::set<model::Slot>{1, 2, 3}));
  for (const model::Task& task : swarm.tasks()) {
    EXPECT_EQ(task.status.state, TaskState::pending);
    EXPECT_EQ(task.desired, TaskState::running);
    EXPECT_EQ(task.revision, 1U);
    EXPECT_FALSE(task.is_rollout);
  }
}

TEST(Replicated, ManyReplicasAreCreatedInBoundedDecisions) {
  Swarm swarm;
  swarm.create(2'100);
  EXPECT_EQ(swarm.wanted_slots().size(), 2'100U);
  EXPECT_LE(swarm.largest_decision(), state::kMaxDecisions);
  swarm.scale(0);
  EXPECT_EQ(swarm.tasks().size(), 0U);
  EXPECT_LE(swarm.largest_decision(), state::kMaxDecisions);
}

void place_running(Swarm& swarm, const std::map<model::Slot, std::string>& places) {
  for (const auto& [slot, node] : places) {
    model::Task task = swarm.only(slot);
    task.node = model::NodeId(node);
    task.status.state = TaskState::running;
    swarm.put(task);
  }
}

TEST(Replicated, ScaleUpFillsTheLowestFreeSlots) {
  Swarm swarm;
  swarm.create(3);
  place_running(swarm, {{1, "node1"}, {2, "node1"}, {3, "node2"}});
  swarm.scale(2);
  swarm.settle();
  ASSERT_EQ(swarm.wanted_slots(), (std::set<model::Slot>{1, 3}));
  swarm.scale(4);
  EXPECT_EQ(swarm.wanted_slots(), (std::set<model::Slot>{1, 2, 3, 4}));
}

// The example of the reference: w1:{1,2,5} w2:{3} w3:{4}; 5 -> 3 keeps 1, 3, 4.
TEST(Replicated, ScaleDownEmptiesTheMostCrowdedNodesFirst) {
  Swarm swarm;
  swarm.create(5);
  place_running(swarm, {{1, "node1"}, {2, "node1"}, {3, "node2"}, {4, "node3"}, {5, "node1"}});
  swarm.scale(3);
  EXPECT_EQ(swarm.wanted_slots(), (std::set<model::Slot>{1, 3, 4}));
}

TEST(Replicated, ScaleDownPrefersSlotsThatDoNotRun) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  swarm.change_service([](model::Service& service) { service.settings.replicas = 4; });
  swarm.starts = false;
  swarm.place_all();
  // Slot 4 is assigned to a node, but does not run.
  swarm.scale(3);
  EXPECT_EQ(swarm.wanted_slots(), (std::set<model::Slot>{1, 2, 3}));
}

TEST(Replicated, ScaledDownTasksStopThenTheirRecordsGo) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  swarm.stops = false;
  swarm.scale(0);
  ASSERT_EQ(swarm.tasks().size(), 2U);
  EXPECT_EQ(swarm.tasks()[0].desired, TaskState::remove);
  swarm.stops = true;
  swarm.settle();
  EXPECT_TRUE(swarm.tasks().empty());
}

TEST(Replicated, StopFirstSlotIsNotFilledAgainBeforeItsOldTaskStopped) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.update.edit().order = model::UpdateOrder::stop_first;
  });
  swarm.settle();
  swarm.stops = false;
  swarm.scale(0);
  swarm.scale(1);
  swarm.agents_act();
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  EXPECT_EQ(swarm.only(1).status.state, TaskState::ready);
  swarm.stops = true;
  swarm.settle();
  EXPECT_EQ(swarm.only(1).status.state, TaskState::running);
}

TEST(Replicated, RemovedServiceGoesWithItsRevisionsAfterItsLastTask) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  swarm.stops = false;
  swarm.change_service([](model::Service& service) { service.is_removed = true; });
  swarm.agents_act();
  ASSERT_TRUE(swarm.service());
  swarm.stops = true;
  swarm.settle();
  EXPECT_FALSE(swarm.service());
  EXPECT_TRUE(swarm.view().revisions_of(swarm.web()).empty());
  EXPECT_TRUE(swarm.tasks().empty());
}

TEST(Replicated, RemovedServiceIsNeitherRestartedNorRolledOut) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  swarm.update();
  swarm.stops = false;
  swarm.change_service([](model::Service& service) { service.is_removed = true; });
  for (const model::Task& task : swarm.tasks()) {
    EXPECT_EQ(task.desired, TaskState::remove);
  }
  swarm.fail(swarm.tasks().front().id);
  EXPECT_TRUE(swarm.wanted_slots().empty());
}

TEST(Replicated, CompletedServiceWithoutRestartIsLeftAsItEnded) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.restart.edit().condition = model::RestartCondition::none;
  });
  swarm.settle();
  swarm.report(swarm.only(1).id, TaskState::complete, 0);
  swarm.live_for(minutes(1));
  EXPECT_TRUE(swarm.wanted(1).empty());
  ASSERT_EQ(swarm.tasks().size(), 1U);
  // Also by a new leader, and scaling up adds only what is new.
  swarm.new_leader(7);
  swarm.scale(2);
  EXPECT_EQ(swarm.wanted_slots(), (std::set<model::Slot>{2}));
}

}  // namespace
}  // namespace swarm::orchestrator
