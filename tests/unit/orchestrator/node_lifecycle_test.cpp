#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::NodeState;
using model::TaskState;

void stop_first(model::ServiceSpec& spec) {
  spec.update.edit().order = model::UpdateOrder::stop_first;
}

TEST(NodeLifecycle, TasksOfALostNodeAreReplacedWithoutDelay) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  const model::Task lost = swarm.only(2);
  swarm.lose_node(lost.node.value());
  EXPECT_EQ(swarm.view().task(lost.id)->desired, TaskState::shutdown);
  EXPECT_EQ(swarm.only(2).desired, TaskState::running);
  EXPECT_FALSE(is_set(swarm.only(2).not_before));
  EXPECT_EQ(swarm.only(2).restarts, 0U);
  swarm.settle();
  EXPECT_NE(swarm.only(2).node, lost.node);
  EXPECT_EQ(swarm.running(), 3U);
}

TEST(NodeLifecycle, NodeThatReturnsIsToldToStopWhatWasReplaced) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  const model::Task lost = swarm.only(1);
  swarm.lose_node(lost.node.value());
  swarm.settle();
  swarm.change_node(lost.node.value(),
                    [](model::Node& node) { node.status.state = NodeState::ready; });
  EXPECT_EQ(swarm.view().task(lost.id)->desired, TaskState::shutdown);
  swarm.settle();
  EXPECT_EQ(swarm.view().task(lost.id)->status.state, TaskState::shutdown);
  EXPECT_EQ(swarm.running(), 1U);
}

TEST(NodeLifecycle, SuspectUnknownAndPausedNodesKeepTheirTasks) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  const std::vector<model::Task> before = swarm.tasks();
  swarm.change_node("node1", [](model::Node& node) { node.status.state = NodeState::suspect; });
  swarm.change_node("node2", [](model::Node& node) { node.status.state = NodeState::unknown; });
  swarm.change_node("node3",
                    [](model::Node& node) { node.spec.availability = model::Availability::pause; });
  swarm.new_leader(4);
  swarm.settle();
  EXPECT_EQ(swarm.tasks(), before);
}

void take_engine(Swarm& swarm, const model::NodeId& node) {
  swarm.change_node(node.value(), [&](model::Node& changed) {
    changed.status.conditions = {
        {model::ConditionKind::engine, "the engine does not answer", swarm.now()}};
  });
}

void return_engine(Swarm& swarm, const model::NodeId& node) {
  swarm.change_node(node.value(), [](model::Node& changed) { changed.status.conditions.clear(); });
}

TEST(NodeLifecycle, AnEngineThatIsBackWithinTheGraceCostsNothing) {
  Swarm swarm;
  swarm.create(3);
  swarm.live_for(seconds(5));
  const std::vector<model::Task> before = swarm.tasks();
  const model::NodeId node = swarm.only(1).node;
  take_engine(swarm, node);
  swarm.live_for(seconds(19));
  swarm.new_leader(4);
  swarm.settle();
  EXPECT_EQ(swarm.tasks(), before);
  return_engine(swarm, node);
  swarm.live_for(minutes(5), seconds(10));
  EXPECT_EQ(swarm.tasks(), before);
}

TEST(NodeLifecycle, TasksOfAnEngineThatStaysAwayAreReplacedAndServeUntilThen) {
  Swarm swarm;
  swarm.create(3, Swarm::serve_a_port);
  swarm.settle();
  const model::Task left = swarm.only(1);
  take_engine(swarm, left.node);
  swarm.advance(seconds(20));
  ASSERT_EQ(swarm.wanted(1).size(), 2U);
  EXPECT_EQ(swarm.running(), 3U);
  swarm.live_for(seconds(5));
  EXPECT_EQ(swarm.view().task(left.id)->desired, TaskState::shutdown);
  EXPECT_NE(swarm.only(1).node, left.node);
}

TEST(NodeLifecycle, StopFirstDoesNotWaitForAnEngineThatIsAway) {
  Swarm swarm;
  swarm.create(3, stop_first);
  swarm.settle();
  const model::Task left = swarm.only(1);
  take_engine(swarm, left.node);
  swarm.live_for(seconds(25));
  EXPECT_EQ(swarm.view().task(left.id)->status.state, TaskState::orphaned);
  EXPECT_NE(swarm.only(1).node, left.node);
  EXPECT_EQ(swarm.only(1).status.state, TaskState::running);
  return_engine(swarm, left.node);
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.wanted(1).size(), 1U);
}

// Its mesh answers, so the leader leaves it suspect: what runs there serves on.
TEST(NodeLifecycle, WhatADaemonThatIsAwayHasNotStartedIsReplaced) {
  Swarm swarm;
  swarm.create(3, Swarm::serve_a_port);
  swarm.settle();
  const model::Task runs = swarm.only(1);
  swarm.starts = false;
  swarm.fail(swarm.only(2).id);
  swarm.live_for(seconds(6));
  const model::Task waits = swarm.only(2);
  ASSERT_FALSE(waits.node.is_empty());
  const auto suspect = [&](const model::Task& task) {
    swarm.change_node(task.node.value(), [&](model::Node& node) {
      node.status.state = model::NodeState::suspect;
      node.status.at = swarm.now();
    });
  };
  suspect(waits);
  if (runs.node != waits.node) {
    suspect(runs);
  }
  swarm.advance(seconds(2));
  EXPECT_EQ(swarm.only(2).id, waits.id) << "it may be only its connection";
  swarm.advance(seconds(2));
  EXPECT_NE(swarm.only(2).id, waits.id);
  swarm.starts = true;
  swarm.settle();
  EXPECT_EQ(swarm.only(2).status.state, TaskState::running);
  EXPECT_EQ(swarm.only(1).id, runs.id) << "it runs, and its mesh serves it";
}

TEST(NodeLifecycle, LostNodeIsNoAttemptOfTheRestartPolicy) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) { spec.task.restart.edit().max_attempts = 1; });
  swarm.settle();
  swarm.fail(swarm.only(1).id);
  swarm.live_for(seconds(6));
  ASSERT_EQ(swarm.only(1).window_restarts, 1U);
  swarm.lose_node(swarm.only(1).node.value());
  swarm.settle();
  EXPECT_EQ(swarm.running(), 1U);
  EXPECT_EQ(swarm.only(1).window_restarts, 1U);
}

TEST(NodeLifecycle, RunOnceTaskOfALostNodeIsNotRunAgain) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.restart.edit().condition = model::RestartCondition::none;
  });
  swarm.settle();
  swarm.lose_node(swarm.only(1).node.value());
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.tasks().size(), 1U);
  EXPECT_TRUE(swarm.wanted(1).empty());
}

TEST(NodeLifecycle, DrainStartsTheSuccessorBeforeItStopsTheOld) {
  Swarm swarm;
  swarm.create(1, Swarm::serve_a_port);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.drain(old.node.value());
  ASSERT_EQ(swarm.wanted(1).size(), 2U);
  EXPECT_EQ(swarm.running(), 1U);
  const model::Task next = swarm.wanted(1).back();
  EXPECT_EQ(next.revision, old.revision);
  EXPECT_FALSE(is_set(next.not_before));
  swarm.settle();
  EXPECT_EQ(swarm.only(1).id, next.id);
  EXPECT_NE(swarm.only(1).node, old.node);
  EXPECT_EQ(swarm.view().task(old.id)->status.state, TaskState::shutdown);
}

TEST(NodeLifecycle, DrainKeepsATaskUntilItsSuccessorHasRunForTheMinimum) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.drain(old.node.value());
  swarm.settle();
  swarm.advance(seconds(1) - milliseconds(1));
  EXPECT_EQ(swarm.running(), 2U) << "that a task was started does not say that it works";
  swarm.fail(swarm.wanted(1).back().id);
  EXPECT_EQ(swarm.running(), 1U);
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.running(), 1U);
  EXPECT_NE(swarm.only(1).node, old.node);
}

TEST(NodeLifecycle, DrainKeepsTheOldTaskWhileThereIsNoRoomElsewhere) {
  Swarm swarm(1, 1);
  swarm.create(1, Swarm::serve_a_port);
  swarm.settle();
  swarm.drain("node1");
  swarm.live_for(minutes(10), minutes(1));
  EXPECT_EQ(swarm.running(), 1U);
  EXPECT_EQ(swarm.wanted(1).size(), 2U);
  swarm.put(test::ready_node("node2"));
  swarm.settle();
  EXPECT_EQ(swarm.only(1).node, model::NodeId("node2"));
}

TEST(NodeLifecycle, DrainOfAStopFirstServiceNeverOverlaps) {
  Swarm swarm;
  swarm.create(1, stop_first);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.stops = false;
  swarm.drain(old.node.value());
  swarm.agents_act();
  EXPECT_EQ(swarm.only(1).predecessor, old.id);
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  swarm.stops = true;
  swarm.settle();
  EXPECT_EQ(swarm.running(), 1U);
}

TEST(NodeLifecycle, TwoDrainedNodesAreLeftOneSlotAfterTheOther) {
  Swarm swarm;
  swarm.create(6, Swarm::serve_a_port);
  swarm.settle();
  swarm.drain("node1");
  swarm.drain("node2");
  swarm.settle();
  EXPECT_EQ(swarm.running(), 6U);
  for (const model::Task& task : swarm.tasks()) {
    EXPECT_TRUE(!is_wanted(task) || task.node == model::NodeId("node3"));
  }
}

TEST(NodeLifecycle, SuccessorOnANodeThatIsLostTooIsReplacedOnce) {
  Swarm swarm;
  swarm.create(1, Swarm::serve_a_port);
  swarm.settle();
  const std::string first = swarm.only(1).node.value();
  swarm.drain(first);
  swarm.starts = false;
  swarm.agents_act();
  const std::string second = swarm.wanted(1).back().node.value();
  swarm.lose_node(second);
  EXPECT_EQ(swarm.wanted(1).size(), 2U);
  swarm.new_leader(3);
  swarm.starts = true;
  swarm.settle();
  EXPECT_EQ(swarm.wanted(1).size(), 1U);
  EXPECT_EQ(swarm.running(), 1U);
}

TEST(NodeLifecycle, TaskWhoseConstraintNoLongerHoldsMoves) {
  Swarm swarm(1, 0);
  swarm.put(test::labelled_node("a", "zone", "x"));
  swarm.put(test::labelled_node("b", "zone", "x"));
  swarm.create(2, [](model::ServiceSpec& spec) {
    spec.task.placement.edit().constraints = {"node.labels.zone==x"};
  });
  swarm.settle();
  swarm.change_node("a", [](model::Node& node) { node.spec.labels["zone"] = "y"; });
  swarm.settle();
  EXPECT_EQ(swarm.running(), 2U);
  for (const model::Task& task : swarm.tasks()) {
    EXPECT_TRUE(!is_wanted(task) || task.node == model::NodeId("b"));
  }
}

// As the scheduler sees it: nothing is placed against a constraint that cannot be read.
TEST(NodeLifecycle, TaskWhoseConstraintCannotBeReadIsTakenOffItsNode) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.task.placement.edit().constraints = {"node.color==red"};
  });
  model::Task task = swarm.only(1);
  task.node = model::NodeId("node1");
  task.status.state = model::TaskState::running;
  swarm.put(task);
  swarm.run();
  EXPECT_FALSE(is_wanted(*swarm.view().task(task.id)));
  EXPECT_TRUE(swarm.only(1).node.is_empty());
}

TEST(NodeLifecycle, OtherLabelsDoNotMoveTasks) {
  Swarm swarm;
  swarm.create(3);
  swarm.settle();
  const std::vector<model::Task> before = swarm.tasks();
  swarm.change_node("node1", [](model::Node& node) { node.spec.labels["rack"] = "7"; });
  EXPECT_EQ(swarm.tasks(), before);
}

TEST(NodeLifecycle, RemovedNodeOrphansItsTasksAndTheirRecordsCanGo) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  const model::Task lost = swarm.only(1);
  swarm.lose_node(lost.node.value());
  swarm.settle();
  swarm.change_service([](model::Service& service) { service.is_removed = true; });
  swarm.settle();
  // The task on the lost node may still run: the record stays ...
  ASSERT_TRUE(swarm.service());
  ASSERT_EQ(swarm.tasks().size(), 1U);
  // ... until the node is gone for good.
  swarm.remove_node(lost.node.value());
  EXPECT_FALSE(swarm.service());
}

TEST(NodeLifecycle, NodeDownForADayIsGivenUp) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  const model::Task lost = swarm.only(1);
  swarm.lose_node(lost.node.value());
  swarm.settle();
  swarm.advance(hours(23));
  swarm.new_leader(2);
  swarm.run();
  EXPECT_EQ(swarm.view().task(lost.id)->status.state, TaskState::running);
  swarm.advance(hours(1));
  EXPECT_EQ(swarm.view().task(lost.id)->status.state, TaskState::orphaned);
}

TEST(NodeLifecycle, TaskPlacedOnANodeAsItIsLostIsReplaced) {
  Swarm swarm;
  swarm.create(1);
  model::Task task = swarm.only(1);
  swarm.lose_node("node1");
  task.node = model::NodeId("node1");
  task.status.state = TaskState::assigned;
  swarm.put(task);
  swarm.run();
  EXPECT_NE(swarm.only(1).id, task.id);
}

}  // namespace
}  // namespace swarm::orchestrator
