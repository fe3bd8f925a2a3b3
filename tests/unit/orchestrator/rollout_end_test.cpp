#include <algorithm>

#include "unit/orchestrator/harness.h"

// Where a rollout ends: only revisions that converged are gone back to, and nothing that still fits
// is replaced.
namespace swarm::orchestrator {
namespace {

using model::FailureAction;
using model::PublishMode;
using model::RolloutState;
using model::TaskState;

std::set<model::TaskId> ids_of_running(const Swarm& swarm) {
  std::set<model::TaskId> ids;
  for (const model::Task& task : swarm.tasks()) {
    if (is_running(task)) {
      ids.insert(task.id);
    }
  }
  return ids;
}

TEST(RolloutEnd, ARevisionConvergesOnceAllSlotsAreGood) {
  Swarm swarm;
  swarm.create(2);
  swarm.settle();
  EXPECT_THAT(swarm.service()->converged, testing::IsEmpty());
  swarm.advance(seconds(1));
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U));
  swarm.update();
  swarm.live_for(seconds(20));
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U, 2U));
  swarm.roll_back();
  swarm.live_for(seconds(20));
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(2U, 1U));
}

// The client of `service create` believes it after the monitor window: an update that it sends then
// must have something to go back to.
TEST(RolloutEnd, ARevisionConvergesNoLaterThanItsMonitorWindow) {
  Swarm swarm;
  swarm.create(2, [](model::ServiceSpec& spec) { spec.update.edit().monitor = milliseconds(500); });
  swarm.settle();
  swarm.advance(milliseconds(500));
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U));
}

TEST(RolloutEnd, ARevisionThatFailedHasNotConverged) {
  Swarm swarm;
  swarm.create_converged(2, [](model::ServiceSpec& spec) {
    spec.update.edit().failure_action = FailureAction::continue_on;
  });
  swarm.bad_revisions = {2};
  swarm.update();
  swarm.live_for(minutes(2));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U));
  swarm.bad_revisions.clear();
  swarm.live_for(minutes(10), seconds(10));
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U, 2U));
}

TEST(RolloutEnd, AnAutomaticRollbackPassesOverARevisionThatNeverConverged) {
  Swarm swarm;
  swarm.create_converged(2);
  swarm.bad_revisions = {2, 3};
  swarm.update();
  swarm.live_for(seconds(1));
  ASSERT_EQ(swarm.rollout().state, RolloutState::paused);
  swarm.change_service([](model::Service& service) {
    service.settings.update.edit().failure_action = FailureAction::rollback;
  });
  swarm.update();
  swarm.live_for(seconds(10));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(swarm.rollout().to, 1U);
  EXPECT_EQ(swarm.service()->revision, 1U);
  EXPECT_EQ(swarm.running_at(1), 2U);
}

TEST(RolloutEnd, WithoutARevisionThatConvergedItPausesInsteadOfRollingBack) {
  Swarm swarm;
  swarm.bad_revisions = {1, 2};
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.update.edit().failure_action = FailureAction::rollback;
  });
  swarm.update();
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_THAT(swarm.rollout().message, testing::HasSubstr("no other revision has converged"));
}

TEST(RolloutEnd, ARollbackIsNotCompleteWhileASlotDoesNotRun) {
  Swarm swarm;
  swarm.create_converged(2, [](model::ServiceSpec& spec) {
    spec.rollback.edit().failure_action = FailureAction::continue_on;
    spec.rollback.edit().progress_deadline = minutes(2);
  });
  swarm.update();
  swarm.live_for(seconds(20));
  swarm.bad_revisions = {1};
  swarm.roll_back();
  swarm.live_for(minutes(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_started);
  swarm.live_for(minutes(2));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_paused) << "the wait has an end";
  EXPECT_THAT(swarm.rollout().message, testing::HasSubstr("exit code 1"));
}

TEST(RolloutEnd, AChangeOfPlacementOrPublishedPortRestartsNothingThatFits) {
  const std::vector<std::function<void(model::TaskTemplate&)>> changes = {
      [](model::TaskTemplate& task) { task.placement.edit().constraints = {"node.id!=elsewhere"}; },
      [](model::TaskTemplate& task) { task.placement.edit().preferences = {"node.labels.zone"}; },
      [](model::TaskTemplate& task) { task.placement.edit().max_replicas_per_node = 1; },
      [](model::TaskTemplate& task) { task.ports = {{.target = 80, .published = 9999}}; },
      [](model::TaskTemplate& task) { task.ports.clear(); },
      [](model::TaskTemplate& task) {
        task.ports = {{.target = 80, .published = 8080, .mode = PublishMode::host}};
      },
  };
  for (const auto& change : changes) {
    Swarm swarm;
    swarm.create_converged(3, Swarm::serve_a_port);
    const std::set<model::TaskId> before = ids_of_running(swarm);
    swarm.update(change);
    swarm.settle();
    EXPECT_EQ(ids_of_running(swarm), before);
    EXPECT_EQ(swarm.running_at(2), 3U);
    EXPECT_EQ(swarm.rollout().state, RolloutState::completed) << "there is nothing to wait for";
    EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U, 2U));
  }
}

TEST(RolloutEnd, ALimitOfReplicasTakesOverAsManyTasksAsFitTheNode) {
  Swarm swarm(1, 1);
  swarm.create_converged(3, Swarm::serve_a_port);
  const std::set<model::TaskId> before = ids_of_running(swarm);
  swarm.update([](model::TaskTemplate& task) { task.placement.edit().max_replicas_per_node = 2; });
  const auto taken_over = std::count_if(before.begin(), before.end(), [&](const model::TaskId& id) {
    return swarm.view().task(id)->revision == 2;
  });
  EXPECT_EQ(taken_over, 2);
}

TEST(RolloutEnd, AConstraintMovesOnlyTheTasksThatDoNotFit) {
  Swarm swarm;
  swarm.create_converged(3, Swarm::serve_a_port);
  std::set<model::TaskId> fitting;
  for (const model::Task& task : swarm.tasks()) {
    if (task.node != model::NodeId("node2")) {
      fitting.insert(task.id);
    }
  }
  ASSERT_EQ(fitting.size(), 2U);
  swarm.update(
      [](model::TaskTemplate& task) { task.placement.edit().constraints = {"node.id!=node2"}; });
  swarm.live_for(seconds(20));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_EQ(swarm.running(), 3U);
  for (const model::Task& task : swarm.tasks()) {
    EXPECT_TRUE(!is_running(task) || task.node != model::NodeId("node2"));
  }
  const std::set<model::TaskId> after = ids_of_running(swarm);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), fitting.begin(), fitting.end()));
}

void publish_81(model::TaskTemplate& task) {
  task.ports.push_back({.target = 81, .published = 8081});
}

void let_nodes_run_processes(Swarm& swarm) {
  for (const char* const node : {"node1", "node2", "node3"}) {
    swarm.change_node(
        node, [](model::Node& changed) { changed.description.runtime = model::kProcessRuntime; });
  }
}

TEST(RolloutEnd, ANewTargetPortMakesAnotherProcess) {
  Swarm swarm;
  let_nodes_run_processes(swarm);
  swarm.create_converged(1, Swarm::serve_a_port);
  const std::set<model::TaskId> before = ids_of_running(swarm);
  swarm.update(publish_81);
  swarm.live_for(seconds(20));
  EXPECT_NE(ids_of_running(swarm), before);
}

TEST(RolloutEnd, ANewTargetPortIsServedByTheSameContainers) {
  Swarm swarm;
  swarm.create_converged(3, Swarm::serve_a_port);
  const std::set<model::TaskId> before = ids_of_running(swarm);
  swarm.serves_new_ports = false;
  swarm.update(publish_81);
  swarm.live_for(seconds(20));
  EXPECT_EQ(swarm.rollout().state, RolloutState::updating) << "no agent has said that they do";
  swarm.serves_new_ports = true;
  swarm.live_for(seconds(1));
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
  EXPECT_EQ(ids_of_running(swarm), before);
  EXPECT_EQ(swarm.running_at(2), 3U);
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U, 2U));
}

TEST(RolloutEnd, ATargetPortThatNoContainerServesFailsByTheDeadline) {
  Swarm swarm;
  swarm.create_converged(3, [](model::ServiceSpec& spec) {
    Swarm::serve_a_port(spec);
    spec.update.edit().progress_deadline = seconds(60);
  });
  const std::set<model::TaskId> before = ids_of_running(swarm);
  swarm.serves_new_ports = false;
  swarm.update(publish_81);
  for (const model::TaskId& task : before) {
    swarm.set_wait(task, model::WaitReason::health, "port 81: connection refused");
  }
  swarm.live_for(seconds(61));
  EXPECT_EQ(swarm.rollout().state, RolloutState::paused);
  EXPECT_THAT(swarm.rollout().message, testing::HasSubstr("port 81: connection refused"));
  EXPECT_EQ(ids_of_running(swarm), before);
  EXPECT_THAT(swarm.service()->converged, testing::ElementsAre(1U));
  swarm.serves_new_ports = true;  // which those of revision 1 are
  swarm.roll_back();
  swarm.live_for(seconds(5));
  EXPECT_EQ(swarm.rollout().state, RolloutState::rollback_completed);
  EXPECT_EQ(ids_of_running(swarm), before);
}

// Its agent probes the port that it was made for, and would do so for ever.
TEST(RolloutEnd, ATargetPortThatNobodyServesCanBeTakenBack) {
  Swarm swarm;
  let_nodes_run_processes(swarm);
  swarm.create_converged(1, Swarm::serve_a_port);
  const std::set<model::TaskId> before = ids_of_running(swarm);
  const std::vector<model::PublishedPort> ports = swarm.view().template_of(*swarm.service()).ports;
  swarm.starts = false;
  swarm.update(
      [](model::TaskTemplate& task) { task.ports.push_back({.target = 81, .published = 8081}); });
  swarm.live_for(seconds(20));
  swarm.update([&](model::TaskTemplate& task) { task.ports = ports; });
  swarm.live_for(seconds(20));
  EXPECT_EQ(ids_of_running(swarm), before);
  EXPECT_EQ(swarm.wanted(1).size(), 1U);
  EXPECT_EQ(swarm.rollout().state, RolloutState::completed);
}

}  // namespace
}  // namespace swarm::orchestrator
