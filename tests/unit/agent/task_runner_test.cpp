#include "agent/task_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "runtime/fake/fake_executor.h"

namespace swarm::agent {
namespace {

using model::TaskState;
using runtime::FakeExecutor;
using runtime::FakeScript;
using testing::ElementsAre;

const TaskId kTask("t1");

// One runner over a scripted engine; `journal` holds the calls to engine and mesh in order.
struct RunnerTest : testing::Test {
  test::World world;
  test::SimulatedLoop loop{world};
  std::vector<std::string> journal;
  FakeMesh mesh{loop, journal};
  FakeScript script;
  FakeExecutor engine{loop, Random(1), [this](const auto&, const auto&) { return script; }};
  std::vector<model::TaskStatus> reports;
  bool is_gone = false;
  TaskHost host{loop, engine, mesh,
                [this](const TaskId&, const model::TaskStatus& s) { reports.push_back(s); },
                [this](const TaskId&) { is_gone = true; }};
  std::unique_ptr<TaskRunner> runner;

  void SetUp() override {
    engine.set_journal([this](std::string call) { journal.push_back(std::move(call)); });
  }

  void begin(model::Assignment given = assignment("t1")) {
    TaskLabels labels;
    labels.task = given.task;
    runner = std::make_unique<TaskRunner>(host, labels, given, Random(3));
    engine.set_listener([this](const TaskId&, const ExecutorEvent& e) { runner->observe(e); });
    runner->begin(adopt(given, nullptr, nullptr, loop.wall_now()), {});
  }
  bool await(TaskStep step) {
    return world.run_until([&] { return runner->step() == step; });
  }
  bool await_state(TaskState state) {
    return world.run_until([&] { return runner->status().state == state; });
  }
  const model::TaskStatus& status() const { return runner->status(); }
  bool was_reported(TaskState state) const {
    for (const model::TaskStatus& report : reports) {
      if (report.state == state) {
        return true;
      }
    }
    return false;
  }
};

TEST_F(RunnerTest, ReportsEveryStateUpToRunning) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  std::vector<TaskState> states;
  for (const model::TaskStatus& report : reports) {
    if (states.empty() || states.back() != report.state) {
      states.push_back(report.state);
    }
  }
  EXPECT_THAT(states, ElementsAre(TaskState::accepted, TaskState::preparing, TaskState::ready,
                                  TaskState::starting, TaskState::running));
  EXPECT_EQ(status().container_id, "fake-t1");
  EXPECT_TRUE(is_set(status().running_since));
}

TEST_F(RunnerTest, IsAdmittedOnlyWhenHealthy) {
  begin();
  ASSERT_TRUE(await(TaskStep::starting));
  EXPECT_FALSE(mesh.is_admitted(kTask));
  EXPECT_EQ(status().wait, model::WaitReason::health);
  ASSERT_TRUE(await(TaskStep::running));
  ASSERT_TRUE(mesh.is_admitted(kTask));
  EXPECT_EQ(mesh.admitted().at(kTask)[0].target, 80);
}

TEST_F(RunnerTest, ARunningTaskIsTakenOverToAnotherRevisionAsItIs) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  journal.clear();
  model::Assignment next = runner->assignment();
  next.revision += 1;
  next.spec.ports = {{.target = 80, .published = 9000}};
  runner->set_revision(next);
  EXPECT_EQ(runner->assignment().revision, next.revision);
  EXPECT_EQ(runner->assignment().spec.ports, next.spec.ports);
  EXPECT_EQ(runner->step(), TaskStep::running);
  EXPECT_THAT(journal, testing::IsEmpty());
}

struct NewPorts : RunnerTest {
  void SetUp() override {
    RunnerTest::SetUp();
    script.refused_ports = {82};
    begin();
    ASSERT_TRUE(await(TaskStep::running));
    journal.clear();
  }
  void publish(std::vector<model::PublishedPort> ports) {
    model::Assignment next = runner->assignment();
    next.revision += 1;
    next.spec.ports = std::move(ports);
    runner->set_revision(next);
  }
  std::vector<uint16_t> served() {
    std::vector<uint16_t> targets;
    for (const TaskAddress& address : mesh.admitted().at(kTask)) {
      targets.push_back(address.target);
    }
    return targets;
  }
};

TEST_F(NewPorts, AreAdmittedWhenTheContainerServesThem) {
  publish({{.target = 80, .published = 8080}, {.target = 81, .published = 8081}});
  EXPECT_EQ(status().wait, model::WaitReason::health);
  EXPECT_EQ(status().revision, 2U);
  EXPECT_THAT(served(), ElementsAre(80));
  ASSERT_TRUE(world.run_until([&] { return status().wait == model::WaitReason::none; }));
  EXPECT_THAT(served(), ElementsAre(80, 81));
  EXPECT_THAT(journal, ElementsAre("admit t1")) << "and nothing was restarted";
}

TEST_F(NewPorts, ThatNobodyServesAreWhatTheTaskWaitsForUntilTheyAreTakenBack) {
  publish({{.target = 80, .published = 8080}, {.target = 82, .published = 8082}});
  world.run_for(seconds(5));
  EXPECT_EQ(status().wait, model::WaitReason::health);
  EXPECT_EQ(status().message, "port 82: connection refused");
  EXPECT_THAT(served(), ElementsAre(80));
  publish({{.target = 80, .published = 8080}});
  world.run_for(seconds(5));
  EXPECT_EQ(status().wait, model::WaitReason::none);
  EXPECT_EQ(status().message, "started");
  EXPECT_THAT(served(), ElementsAre(80));
}

TEST_F(NewPorts, OfATaskWithoutAnyAreAskedForAsWell) {
  publish({});
  publish({{.target = 83, .published = 8083}});
  ASSERT_TRUE(world.run_until([&] { return status().wait == model::WaitReason::none; }));
  EXPECT_THAT(served(), ElementsAre(83));
}

TEST_F(RunnerTest, WaitsPreparedWhileItIsHeldBack) {
  begin(assignment("t1", TaskState::ready));
  ASSERT_TRUE(await(TaskStep::ready));
  world.run_for(hours(1));
  EXPECT_EQ(status().state, TaskState::ready);
  EXPECT_EQ(engine.starts(kTask), 0);
  runner->set_desired(TaskState::running);
  EXPECT_TRUE(await(TaskStep::running));
}

TEST_F(RunnerTest, DrainsBeforeItStopsAndRemoves) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->set_desired(TaskState::remove);
  ASSERT_TRUE(world.run_until([&] { return is_gone; }));
  EXPECT_THAT(journal, ElementsAre("prepare t1", "start t1", "admit t1", "retire t1", "stop t1",
                                   "remove t1"));
  EXPECT_EQ(status().state, TaskState::shutdown);
}

TEST_F(RunnerTest, StaysRunningForItsObserversUntilItHasStopped) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  mesh.set_busy(true);
  runner->set_desired(TaskState::shutdown);
  world.run_for(seconds(29));
  EXPECT_EQ(status().state, TaskState::running);
  EXPECT_EQ(status().message, "draining connections");
  EXPECT_TRUE(engine.running().contains(kTask));
  ASSERT_TRUE(await_state(TaskState::shutdown));
  EXPECT_FALSE(engine.running().contains(kTask));
  EXPECT_EQ(status().exit_code, 0);
}

TEST_F(RunnerTest, KeepsTheContainerUntilTheRecordIsGone) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->set_desired(TaskState::shutdown);
  ASSERT_TRUE(await(TaskStep::ended));
  world.run_for(hours(1));
  EXPECT_TRUE(engine.exists(kTask));
  runner->set_desired(TaskState::remove);
  ASSERT_TRUE(world.run_until([&] { return is_gone; }));
  EXPECT_FALSE(engine.exists(kTask));
}

TEST_F(RunnerTest, ALowerDesiredStateIsIgnored) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->set_desired(TaskState::shutdown);
  runner->set_desired(TaskState::running);
  EXPECT_TRUE(await_state(TaskState::shutdown));
}

TEST_F(RunnerTest, AContainerThatEndsByItselfIsRetiredAtOnceAndTellsItsExitCode) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.crash(kTask, 2);
  world.settle();
  EXPECT_EQ(status().state, TaskState::failed);
  EXPECT_EQ(status().exit_code, 2);
  EXPECT_EQ(status().error, "task: non-zero exit (2)");
  EXPECT_FALSE(mesh.is_admitted(kTask));
}

TEST_F(RunnerTest, AContainerThatEndsWithZeroIsComplete) {
  script.exits_after = seconds(5);
  begin();
  ASSERT_TRUE(await_state(TaskState::complete));
  EXPECT_EQ(status().error, "");
  EXPECT_EQ(status().message, "finished");
}

TEST_F(RunnerTest, AContainerThatEndsBeforeItIsHealthyNeverWasRunning) {
  script.exits_after = milliseconds(10);
  script.exit_code = 1;
  begin();
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_FALSE(was_reported(TaskState::running));
  EXPECT_FALSE(is_set(status().running_since));
}

TEST_F(RunnerTest, ACrashDuringTheDrainEndsTheTaskAndSaysSo) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  mesh.set_busy(true);
  runner->set_desired(TaskState::shutdown);
  world.run_for(seconds(1));
  engine.crash(kTask, 139);
  world.settle();
  EXPECT_EQ(status().state, TaskState::failed);
  EXPECT_EQ(status().error, "task: killed by SIGSEGV (139) while draining");
  world.run_for(minutes(1));  // the drain ends when nobody waits for it any more
  EXPECT_EQ(runner->step(), TaskStep::ended);
  EXPECT_THAT(journal, testing::Not(testing::Contains("stop t1")));
}

TEST_F(RunnerTest, ATaskThatIgnoresItsSignalIsKilledAfterTheGracePeriod) {
  script.stop_time = hours(1);
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->set_desired(TaskState::shutdown);
  ASSERT_TRUE(await_state(TaskState::shutdown));
  EXPECT_EQ(status().exit_code, 137);
}

TEST_F(RunnerTest, AnUnhealthyTaskIsRetiredStoppedAndFailed) {
  script.unhealthy_after = seconds(3);
  begin();
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_EQ(status().error, "unhealthy");
  EXPECT_THAT(journal, ElementsAre("prepare t1", "start t1", "admit t1", "retire t1", "stop t1"));
}

TEST_F(RunnerTest, ATaskThatNeverBecomesHealthyFailsWithoutBeingAdmitted) {
  script.healthy_after = std::nullopt;
  script.unhealthy_after = seconds(3);
  begin();
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_THAT(journal, ElementsAre("prepare t1", "start t1", "stop t1"));
}

TEST_F(RunnerTest, AContainerSomebodyElseRemovedHasFailed) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.lose(kTask);
  world.settle();
  EXPECT_EQ(status().state, TaskState::failed);
  EXPECT_EQ(status().error, "the container was removed by somebody else");
  EXPECT_FALSE(mesh.is_admitted(kTask));
}

TEST_F(RunnerTest, WhatCannotBePreparedIsRejectedWithTheReason) {
  script.prepare_status = absl::NotFoundError("no such image: web:9");
  begin();
  ASSERT_TRUE(await_state(TaskState::rejected));
  EXPECT_EQ(status().error, "no such image: web:9");
  EXPECT_THAT(journal, ElementsAre("prepare t1"));
}

TEST_F(RunnerTest, WhatCannotBeStartedIsRejectedAndMadeSureToBeStopped) {
  script.start_status = absl::FailedPreconditionError("exec format error");
  begin();
  ASSERT_TRUE(await_state(TaskState::rejected));
  EXPECT_EQ(status().error, "exec format error");
  EXPECT_THAT(journal, ElementsAre("prepare t1", "start t1", "stop t1"));
}

TEST_F(RunnerTest, AnEngineThatDoesNotAnswerIsAskedAgainAndTheReasonShown) {
  script.prepare_refusals = 2;
  script.start_refusals = 2;
  begin();
  ASSERT_TRUE(world.run_until([&] { return !status().error.empty(); }));
  EXPECT_EQ(status().state, TaskState::preparing);
  EXPECT_EQ(status().error, "the engine does not answer");
  ASSERT_TRUE(await(TaskStep::running));
  EXPECT_EQ(status().error, "");
}

TEST_F(RunnerTest, AnEngineThatNeverAnswersIsGivenUpInTheEnd) {
  script.prepare_refusals = 1'000;
  begin();
  ASSERT_TRUE(await_state(TaskState::rejected));
  EXPECT_EQ(status().error, "the engine does not answer");
  EXPECT_EQ(journal.size(), static_cast<size_t>(kMaxAttempts));
}

TEST_F(RunnerTest, StoppingIsNeverGivenUp) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.set_answering(false);
  runner->set_desired(TaskState::remove);
  world.run_for(hours(1));
  EXPECT_EQ(runner->step(), TaskStep::stopping);
  EXPECT_EQ(status().state, TaskState::running);
  engine.set_answering(true);
  ASSERT_TRUE(world.run_until([&] { return is_gone; }));
}

TEST_F(RunnerTest, StoppedWhilePreparingItEndsAtOnceAndNeverStarts) {
  script.prepare_time = minutes(5);
  begin();
  world.run_for(seconds(1));
  runner->set_desired(TaskState::shutdown);
  EXPECT_EQ(status().state, TaskState::shutdown);
  world.run_for(minutes(10));
  EXPECT_EQ(runner->step(), TaskStep::ended);
  EXPECT_EQ(engine.starts(kTask), 0);
}

TEST_F(RunnerTest, RemovedWhilePreparingItRemovesOnlyAfterThePreparation) {
  script.prepare_time = minutes(5);
  begin();
  world.run_for(seconds(1));
  runner->set_desired(TaskState::remove);
  world.run_for(minutes(1));
  EXPECT_THAT(journal, ElementsAre("prepare t1"));
  ASSERT_TRUE(world.run_until([&] { return is_gone; }));
  EXPECT_THAT(journal, ElementsAre("prepare t1", "remove t1"));
  EXPECT_FALSE(engine.exists(kTask));
}

TEST_F(RunnerTest, StoppedBetweenTwoAttemptsToPrepareItEndsAtOnce) {
  script.prepare_refusals = 1'000;
  begin();
  ASSERT_TRUE(world.run_until([&] { return !status().error.empty(); }));
  runner->set_desired(TaskState::shutdown);
  EXPECT_EQ(runner->step(), TaskStep::ended);
  EXPECT_EQ(status().state, TaskState::shutdown);
  EXPECT_EQ(status().error, "");
}

TEST_F(RunnerTest, StoppedBeforeTheStartFinishedItIsStoppedAfterIt) {
  script.start_time = seconds(10);
  begin();
  ASSERT_TRUE(await(TaskStep::launching));
  runner->set_desired(TaskState::shutdown);
  EXPECT_EQ(status().state, TaskState::starting);
  ASSERT_TRUE(await_state(TaskState::shutdown));
  EXPECT_THAT(journal, ElementsAre("prepare t1", "start t1", "stop t1"));
  EXPECT_TRUE(engine.running().empty());
}

TEST_F(RunnerTest, StoppedWhileReadyItNeverStarts) {
  begin(assignment("t1", TaskState::ready));
  ASSERT_TRUE(await(TaskStep::ready));
  runner->set_desired(TaskState::shutdown);
  EXPECT_EQ(status().state, TaskState::shutdown);
  EXPECT_THAT(journal, ElementsAre("prepare t1"));
}

TEST_F(RunnerTest, HealthyBeforeTheStartWasAnsweredIsNotForgotten) {
  begin();
  ASSERT_TRUE(await(TaskStep::launching));
  runner->observe({ExecutorEvent::Kind::healthy, {{80, "10.0.0.9:80"}}, 0, ""});
  EXPECT_EQ(runner->step(), TaskStep::launching);
  script.healthy_after = std::nullopt;
  ASSERT_TRUE(await(TaskStep::running));
  EXPECT_EQ(mesh.admitted().at(kTask)[0].address, "10.0.0.9:80");
}

TEST_F(RunnerTest, ExitedBeforeTheStartWasAnsweredIsFailed) {
  begin();
  ASSERT_TRUE(await(TaskStep::launching));
  runner->observe({ExecutorEvent::Kind::exited, {}, 1, ""});
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_EQ(status().exit_code, 1);
}

TEST_F(RunnerTest, ANewAddressIsAdmittedAgain) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->observe({ExecutorEvent::Kind::healthy, {{80, "10.0.0.77:80"}}, 0, ""});
  EXPECT_EQ(mesh.admitted().at(kTask)[0].address, "10.0.0.77:80");
}

TEST_F(RunnerTest, ATaskThatCannotServeFailsWithTheReason) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->fail("port 8080 is in use by another program");
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_EQ(status().error, "port 8080 is in use by another program");
  EXPECT_TRUE(engine.running().empty());
}

TEST_F(RunnerTest, ATaskThatCannotServeBeforeItStartedIsRejected) {
  begin();
  runner->fail("port 8080 is in use by another program");
  ASSERT_TRUE(await(TaskStep::ended));
  EXPECT_EQ(status().state, TaskState::rejected);
  EXPECT_EQ(engine.starts(kTask), 0);
}

TEST_F(RunnerTest, ANoticeIsShownUntilItIsCleared) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->set_notice("port 8080 is in use by another program");
  EXPECT_EQ(reports.back().message, "port 8080 is in use by another program");
  EXPECT_EQ(reports.back().state, TaskState::running);
  runner->set_notice("");
  EXPECT_EQ(reports.back().message, "started");
}

TEST_F(RunnerTest, AStopFromOutsideIsNoCompletion) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.stop_from_outside(kTask);
  world.settle();
  EXPECT_EQ(status().state, TaskState::failed);
  EXPECT_EQ(status().exit_code, 0);
  EXPECT_TRUE(status().is_external_stop);
  EXPECT_EQ(status().error, "task: exit (0): stopped from outside");
  EXPECT_FALSE(mesh.is_admitted(kTask));
}

TEST_F(RunnerTest, AnUnhealthyTaskSaysWhatItsLastCheckSaid) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.fail_health(kTask, "exit code 1: no database");
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_EQ(status().error, "unhealthy: exit code 1: no database");
}

TEST_F(RunnerTest, AStartingTaskSaysWhatItWaitsFor) {
  script.healthy_after = std::nullopt;
  begin();
  ASSERT_TRUE(await(TaskStep::starting));
  runner->observe({ExecutorEvent::Kind::waiting, {}, 0, "port 80: connection refused"});
  EXPECT_EQ(status().message, "port 80: connection refused");
  EXPECT_EQ(status().wait, model::WaitReason::health);
  EXPECT_EQ(status().state, TaskState::starting);
}

TEST_F(RunnerTest, ATaskInTheQueueOfTheEngineSaysSo) {
  script.prepare_time = minutes(1);
  begin();
  runner->observe({ExecutorEvent::Kind::waiting, {}, 0, "waits for the engine: 12 before it"});
  EXPECT_EQ(status().message, "waits for the engine: 12 before it");
  EXPECT_EQ(status().wait, model::WaitReason::engine);
  runner->observe({ExecutorEvent::Kind::waiting, {}, 0, ""});
  EXPECT_EQ(status().wait, model::WaitReason::image);
}

TEST_F(RunnerTest, APausedTaskLeavesRoutingAndComesBack) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.cut_off(kTask, "paused from outside");
  world.run_for(kUnreachableGrace - seconds(1));
  EXPECT_FALSE(mesh.is_admitted(kTask));
  EXPECT_EQ(status().state, TaskState::running);
  EXPECT_EQ(status().message, "paused from outside");
  engine.reconnect(kTask);
  world.run_for(hours(1));
  EXPECT_TRUE(mesh.is_admitted(kTask));
  EXPECT_EQ(status().state, TaskState::running);
  EXPECT_EQ(status().message, "started");
  EXPECT_EQ(status().wait, model::WaitReason::none);
}

TEST_F(RunnerTest, ATaskThatStaysPausedIsStoppedForItsReplacement) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  engine.cut_off(kTask, "paused from outside");
  ASSERT_TRUE(await_state(TaskState::failed));
  EXPECT_EQ(status().error, "paused from outside for 30s");
  EXPECT_FALSE(engine.running().contains(kTask));
}

TEST_F(RunnerTest, ATaskPausedWhileItDrainsIsStoppedAllTheSame) {
  begin();
  ASSERT_TRUE(await(TaskStep::running));
  runner->set_desired(TaskState::shutdown);
  engine.cut_off(kTask, "paused from outside");
  ASSERT_TRUE(await_state(TaskState::shutdown));
}

}  // namespace
}  // namespace swarm::agent
