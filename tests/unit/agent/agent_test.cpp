#include "agent/agent.h"

#include <gmock/gmock.h>

#include "agent/worker.h"
#include "agent_fixture.h"

namespace swarm::agent {
namespace {

using model::TaskState;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST_F(AgentTest, DescribesTheNodeWithWhatTheEngineSays) {
  start();
  ASSERT_TRUE(world.run_until([&] { return managers.has_stream(); }));
  const model::NodeDescription described = managers.received<model::AgentHello>().at(0).description;
  EXPECT_EQ(described.hostname, "host");
  EXPECT_EQ(described.runtime, "fake");
  EXPECT_EQ(described.mesh_address, "127.0.0.1:7946");
  EXPECT_GT(described.resources.nano_cpus, 0);
}

TEST_F(AgentTest, IsAMemberWithoutItsEngineAndSaysWhatIsWrong) {
  engine.set_answering(false);
  start();
  ASSERT_TRUE(world.run_until([&] { return managers.has_stream(); }));
  managers.accept(seconds(1), 1'000'000);
  managers.send(complete_set(1, {assignment("t1"), assignment("t2")}));
  managers.send(changes(2, {assignment("t3")}, {TaskId("t2")}));
  world.run_for(minutes(1));
  const auto reports = managers.received<model::NodeReport>();
  ASSERT_FALSE(reports.empty());
  ASSERT_EQ(reports.back().conditions.size(), 1u);
  EXPECT_EQ(reports.back().conditions[0].kind, model::ConditionKind::engine);
  EXPECT_EQ(managers.received<model::AgentHeartbeat>().back().applied, 0u);
  engine.set_answering(true);
  EXPECT_TRUE(await("t1", TaskState::running));
  EXPECT_TRUE(await("t3", TaskState::running));
  EXPECT_FALSE(engine.exists(TaskId("t2")));
  EXPECT_TRUE(world.run_until(
      [&] { return managers.received<model::NodeReport>().back().conditions.empty(); }));
}

TEST_F(AgentTest, SaysThatItRestartsAndWaitsUntilThatIsKnown) {
  connect({});
  bool is_known = false;
  agent->announce_restart([&] { is_known = true; });
  EXPECT_EQ(managers.received<model::AgentRestarting>().size(), 1u);
  world.run_for(milliseconds(100));
  EXPECT_FALSE(is_known);
  managers.close(absl::CancelledError("the node restarts"));
  const size_t attempts = managers.attempts().size();
  ASSERT_TRUE(world.run_until([&] { return is_known; }));
  world.run_for(minutes(1));
  EXPECT_EQ(managers.attempts().size(), attempts);
}

TEST_F(AgentTest, DoesNotWaitForEverForAManagerToKnowOfItsRestart) {
  connect({});
  bool is_known = false;
  agent->announce_restart([&] { is_known = true; });
  EXPECT_TRUE(world.run_until([&] { return is_known; }, kRestartingLimit * 2));
}

model::MeshTable table_of(model::Position position, uint16_t published) {
  return {position, {{model::ServiceId("web"), "web", {{80, published}}, {}}}, {}};
}

TEST_F(AgentTest, ReportsWhichPortsAreClosedAndForWhichTableItSaysSo) {
  connect({});
  managers.send(table_of(5, 8080));
  mesh.set_problems({{model::ServiceId("web"), {80, 8080}, "port 8080 is in use"}});
  ASSERT_TRUE(world.run_until([&] {
    const auto reports = managers.received<model::NodeReport>();
    return !reports.empty() && !reports.back().closed_ports.empty();
  }));
  const model::NodeReport report = managers.received<model::NodeReport>().back();
  EXPECT_EQ(report.closed_ports[0].reason, "port 8080 is in use");
  EXPECT_EQ(report.closed_ports[0].service, model::ServiceId("web"));
  EXPECT_EQ(report.ports_as_of, 5u);
}

TEST_F(AgentTest, SaysThatThePortsOfATableAreOpenWhenTheyHaveChanged) {
  connect({});
  const auto confirmed = [&] { return managers.received<model::NodeReport>().back().ports_as_of; };
  managers.send(table_of(5, 8080));
  mesh.set_problems({});
  ASSERT_TRUE(world.run_until([&] { return confirmed() == 5; }));
  managers.send(table_of(6, 8080));
  mesh.set_problems({});
  world.run_for(seconds(1));
  EXPECT_EQ(confirmed(), 5u);
  managers.send(table_of(7, 8081));
  mesh.set_problems({});
  EXPECT_TRUE(world.run_until([&] { return confirmed() == 7; }));
}

TEST_F(AgentTest, ReportsConditionsWhileTheyHoldToEveryManager) {
  connect({});
  engine.set_answering(false);
  mesh.set_condition("the mesh does not run: port 7946 is in use");
  const auto kinds = [&] {
    std::vector<model::ConditionKind> found;
    const auto reports = managers.received<model::NodeReport>();
    if (!reports.empty()) {
      for (const model::NodeCondition& condition : reports.back().conditions) {
        found.push_back(condition.kind);
      }
    }
    return found;
  };
  using model::ConditionKind;
  ASSERT_TRUE(world.run_until([&] { return kinds().size() == 2; }));
  EXPECT_THAT(kinds(), ElementsAre(ConditionKind::engine, ConditionKind::mesh));
  managers.close(absl::UnavailableError("gone"));
  ASSERT_TRUE(world.run_until([&] { return managers.has_stream(); }));
  managers.accept(seconds(1), 1'000'000);
  EXPECT_THAT(kinds(), ElementsAre(ConditionKind::engine, ConditionKind::mesh));
  engine.set_answering(true);
  mesh.set_condition("");
  EXPECT_TRUE(world.run_until([&] { return kinds().empty(); }));
}

TEST_F(AgentTest, TellsTheManagerWhenTheEngineChanges) {
  connect({});
  engine.set_description({"fake", "2", {1, 2}, {}});
  ASSERT_TRUE(world.run_until([&] { return !managers.received<model::NodeDescription>().empty(); },
                              kDescribePeriod * 2));
  EXPECT_EQ(managers.received<model::NodeDescription>()[0].engine_version, "2");
}

TEST_F(AgentTest, RunsWhatItIsAssigned) {
  connect({assignment("t1"), assignment("t2")});
  EXPECT_TRUE(await("t1", TaskState::running));
  EXPECT_TRUE(await("t2", TaskState::running));
}

TEST_F(AgentTest, ActsOnChanges) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  managers.send(changes(2, {assignment("t2"), assignment("t1", TaskState::shutdown)}));
  ASSERT_TRUE(await("t2", TaskState::running));
  ASSERT_TRUE(await("t1", TaskState::shutdown));
  managers.send(changes(3, {}, {TaskId("t1")}));
  ASSERT_TRUE(world.run_until([&] { return !engine.exists(TaskId("t1")); }));
  EXPECT_TRUE(is_running("t2"));
}

TEST_F(AgentTest, HeartbeatsNameTheNewestPositionActedOn) {
  connect({});
  managers.send(changes(9, {assignment("t1")}));
  world.run_for(seconds(2));
  EXPECT_EQ(managers.received<model::AgentHeartbeat>().back().applied, 9u);
}

TEST_F(AgentTest, TasksRunOnForEverWithoutAManager) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  managers.set_unreachable(true);
  managers.close(absl::UnavailableError("gone"));
  world.run_for(hours(5));
  EXPECT_TRUE(is_running("t1"));
  EXPECT_TRUE(mesh.is_admitted(TaskId("t1")));
}

TEST_F(AgentTest, WhatHappenedWithoutAManagerIsReportedToTheNext) {
  connect({assignment("t1"), assignment("t2")});
  ASSERT_TRUE(await("t2", TaskState::running));
  managers.set_unreachable(true);
  managers.close(absl::UnavailableError("gone"));
  world.run_for(minutes(1));
  engine.crash(TaskId("t1"), 1);
  world.run_for(minutes(1));
  managers.set_unreachable(false);
  const size_t before = managers.attempts().size();
  ASSERT_TRUE(world.run_until([&] { return managers.attempts().size() > before; }));
  managers.accept();
  EXPECT_EQ(managers.reported(TaskId("t1"))->state, TaskState::failed);
  EXPECT_EQ(managers.reported(TaskId("t2"))->state, TaskState::running);
}

TEST_F(AgentTest, ACompleteSetRemovesWhatItDoesNotName) {
  connect({assignment("t1"), assignment("t2")});
  ASSERT_TRUE(await("t1", TaskState::running));
  ASSERT_TRUE(await("t2", TaskState::running));
  managers.send(complete_set(5, {assignment("t2")}));
  ASSERT_TRUE(world.run_until([&] { return !engine.exists(TaskId("t1")); }));
  EXPECT_TRUE(is_running("t2"));
  EXPECT_EQ(engine.starts(TaskId("t2")), 1);
}

TEST_F(AgentTest, AContainerThatAppearsLateIsRemovedWithoutARestart) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  TaskLabels late = engine.labels(TaskId("t1"));
  late.task = TaskId("late");
  for (int times = 0; times < 2; ++times) {
    engine.appear(late);
    ASSERT_TRUE(world.run_until([&] { return !engine.exists(TaskId("late")); }, kSweepPeriod * 3));
  }
  EXPECT_TRUE(is_running("t1"));
  EXPECT_EQ(engine.starts(TaskId("t1")), 1);
}

TEST_F(AgentTest, AFinishedTaskThatIsAssignedForItsRecordIsNotStarted) {
  connect({assignment("t1", TaskState::shutdown)});
  ASSERT_TRUE(await("t1", TaskState::shutdown));
  EXPECT_EQ(engine.starts(TaskId("t1")), 0);
}

TEST_F(AgentTest, AnIngressPortThatCannotBeOpenedIsShownOnTheTask) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  const std::string error = "port 8080 is in use by another program";
  mesh.set_problems({{model::ServiceId("web"), {.target = 80, .published = 8080}, error}});
  ASSERT_TRUE(world.run_until([&] { return managers.reported(TaskId("t1"))->message == error; }));
  EXPECT_TRUE(is_running("t1"));
  mesh.set_problems({});
  ASSERT_TRUE(world.run_until([&] { return managers.reported(TaskId("t1"))->message != error; }));
}

TEST_F(AgentTest, AHostPortThatCannotBeOpenedFailsTheTask) {
  model::Assignment given = assignment("t1");
  given.spec.ports[0].mode = model::PublishMode::host;
  connect({given});
  ASSERT_TRUE(await("t1", TaskState::running));
  mesh.set_problems({{model::ServiceId("web"), given.spec.ports[0], "port 8080 is in use"}});
  ASSERT_TRUE(await("t1", TaskState::failed));
  EXPECT_EQ(managers.reported(TaskId("t1"))->error, "port 8080 is in use");
}

TEST_F(AgentTest, ATaskAssignedAfterItsHostPortFailedIsRejected) {
  connect({});
  model::Assignment given = assignment("t1");
  given.spec.ports[0].mode = model::PublishMode::host;
  mesh.set_problems({{model::ServiceId("web"), given.spec.ports[0], "port 8080 is in use"}});
  managers.send(changes(2, {given}));
  ASSERT_TRUE(await("t1", TaskState::rejected));
}

TEST_F(AgentTest, AProblemOfAnotherPortDoesNotConcernATask) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  mesh.set_problems({{model::ServiceId("web"), {.target = 81, .published = 8081}, "in use"},
                     {model::ServiceId("db"), {.target = 80, .published = 8080}, "in use"}});
  world.run_for(seconds(1));
  EXPECT_EQ(managers.reported(TaskId("t1"))->message, "started");
}

TEST_F(AgentTest, HandsOnManagersRolesAndTheMeshTable) {
  connect({});
  managers.send(model::ManagerList{{"m7"}});
  managers.send(model::RoleChange{model::Role::manager});
  managers.send(model::MeshTable{12, {}, {}});
  EXPECT_THAT(known_managers.back().addresses, ElementsAre("m7"));
  EXPECT_EQ(roles.back(), model::Role::manager);
  EXPECT_EQ(mesh.table().position, 12u);
}

TEST_F(AgentTest, LeavingDrainsStopsAndRemovesEverything) {
  connect({assignment("t1"), assignment("t2")});
  ASSERT_TRUE(await("t1", TaskState::running));
  ASSERT_TRUE(await("t2", TaskState::running));
  bool has_left = false;
  agent->leave({}, [&] { has_left = true; });
  ASSERT_TRUE(world.run_until([&] { return has_left; }));
  EXPECT_FALSE(engine.exists(TaskId("t1")));
  EXPECT_FALSE(engine.exists(TaskId("t2")));
  EXPECT_TRUE(mesh.admitted().empty());
  EXPECT_TRUE(store.record.assigned.empty());
  EXPECT_FALSE(agent->is_connected());
}

TEST_F(AgentTest, LeavingWithLimitsCutsDrainsAndGracePeriodsShort) {
  script.stop_time = hours(1);
  model::Assignment slow = assignment("t1");
  slow.spec.drain_timeout = hours(1);
  slow.spec.container.stop_grace_period = hours(1);
  connect({slow});
  ASSERT_TRUE(await("t1", TaskState::running));
  mesh.set_busy(true);
  bool has_left = false;
  agent->leave({.drain = seconds(2), .grace = seconds(5)}, [&] { has_left = true; });
  world.run_for(seconds(8));
  EXPECT_TRUE(has_left);
}

TEST_F(AgentTest, ARemovedNodeHearsOfItAndAsksNobodyAnyMore) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  managers.say_removed();
  EXPECT_EQ(removals, 1);
  EXPECT_FALSE(agent->is_connected());
  const size_t attempts = managers.attempts().size();
  world.run_for(minutes(5));
  EXPECT_EQ(managers.attempts().size(), attempts);
}

TEST_F(AgentTest, ARefusalThatIsNoRemovalChangesNothing) {
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  managers.close(absl::PermissionDeniedError("another swarm"));
  world.run_for(minutes(5));
  EXPECT_EQ(removals, 0);
  EXPECT_TRUE(is_running("t1"));
}

TEST_F(AgentTest, LeavingWithNothingToDoIsDone) {
  connect({});
  bool has_left = false;
  agent->leave({}, [&] { has_left = true; });
  EXPECT_TRUE(world.run_until([&] { return has_left; }));
}

TEST_F(AgentTest, ADiskThatFailsDoesNotStopTasksAndIsTriedAgain) {
  store.save_status = absl::ResourceExhaustedError("disk is full");
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  store.save_status = absl::OkStatus();
  EXPECT_TRUE(world.run_until([&] { return store.record.assigned.size() == 1; }));
}

TEST_F(AgentTest, ManyChangesAreSavedAtOnce) {
  std::vector<model::Assignment> many;
  for (int task = 0; task < 300; ++task) {
    many.push_back(assignment("t" + std::to_string(task)));
  }
  connect(many);
  ASSERT_TRUE(await("t299", TaskState::running));
  EXPECT_LE(store.saves, 10);
}

}  // namespace
}  // namespace swarm::agent
