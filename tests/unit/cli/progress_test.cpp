#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

namespace swarm::cli {
namespace {

using model::TaskState;
using testing::ElementsAre;
using testing::SizeIs;

class ProgressOf : public testing::Test {
 protected:
  ProgressOf() {
    model::ServiceSpec spec;
    spec.name = "web";
    spec.replicas = 2;
    EXPECT_TRUE(swarm_.create_service(spec).ok());
  }

  model::Service& service() { return swarm_.services.back().service; }
  model::Task& add(model::Slot slot, TaskState state) {
    return swarm_.add_task("web", slot, state).task;
  }
  Progress measure(bool any_revision = false) {
    return measure_progress(service(), swarm_.tasks, any_revision, kNow);
  }

  FakeSwarm swarm_;
};

TEST_F(ProgressOf, ConvergesWhenEverySlotRuns) {
  add(1, TaskState::running);
  add(2, TaskState::starting);
  EXPECT_EQ(measure().running, 1);
  EXPECT_FALSE(measure().is_converged);
  swarm_.tasks.back().task.status.state = TaskState::running;
  EXPECT_TRUE(measure().is_converged);
}

TEST_F(ProgressOf, WithoutReplicasConvergesWhenNothingRuns) {
  service().settings.replicas = 0;
  EXPECT_TRUE(measure().is_converged);
  add(1, TaskState::running);
  EXPECT_FALSE(measure().is_converged);
}

TEST_F(ProgressOf, TasksOnTheirWayOutDoNotCount) {
  add(1, TaskState::running);
  add(2, TaskState::running);
  add(2, TaskState::running).desired = TaskState::shutdown;
  add(3, TaskState::running).desired = TaskState::remove;
  EXPECT_TRUE(measure().is_converged);
}

TEST_F(ProgressOf, SlotsTooManyAreNotConverged) {
  for (model::Slot slot = 1; slot <= 3; ++slot) {
    add(slot, TaskState::running);
  }
  EXPECT_FALSE(measure().is_converged);
}

TEST_F(ProgressOf, OldRevisionsCountOnlyWhenScaling) {
  add(1, TaskState::running);
  add(2, TaskState::running);
  ++service().revision;
  EXPECT_EQ(measure().running, 0);
  EXPECT_FALSE(measure().is_converged);
  EXPECT_TRUE(measure(true).is_converged);
}

TEST_F(ProgressOf, AnOldTaskThatStillRunsIsNotConverged) {
  add(1, TaskState::running);
  ++service().revision;
  add(1, TaskState::running);
  add(2, TaskState::running);
  EXPECT_EQ(measure().running, 2);
  EXPECT_FALSE(measure().is_converged);
}

TEST_F(ProgressOf, LowestDesiredThenLowestObservedStandsForTheSlot) {
  add(1, TaskState::running);
  add(1, TaskState::preparing);
  model::Task& held = add(1, TaskState::ready);
  held.desired = TaskState::ready;
  EXPECT_EQ(measure().slots[0].state, TaskState::ready);
}

TEST_F(ProgressOf, AWaitingSlotTellsWhyItsLastTaskFailed) {
  model::Task& failed = add(1, TaskState::failed);
  failed.desired = TaskState::shutdown;
  failed.status.error = "exit code 1";
  add(1, TaskState::assigned);
  add(2, TaskState::pending);
  swarm_.tasks.back().wait = {"no suitable node", kNow, {}};
  EXPECT_EQ(measure().slots[0].text(true), "web.1: exit code 1");
  EXPECT_EQ(measure().slots[1].reason, "no suitable node");
}

TEST_F(ProgressOf, FailuresOfAnotherRevisionAreForgotten) {
  model::Task& failed = add(1, TaskState::failed);
  failed.desired = TaskState::shutdown;
  failed.status.error = "exit code 1";
  ++service().revision;
  add(1, TaskState::assigned);
  EXPECT_FALSE(measure().slots[0].has_reason());
}

TEST_F(ProgressOf, LinesHaveBarsAndErrors) {
  add(1, TaskState::running);
  add(2, TaskState::rejected).status.error = std::string(100, 'x') + "\ny";
  EXPECT_THAT(progress_lines(measure(), true),
              ElementsAre("overall progress: 1 out of 2 tasks", "1/2: running   [========>]",
                          "2/2: rejected: " + std::string(100, 'x') + " y"));
}

TEST_F(ProgressOf, BarsGrowWithTheState) {
  const std::vector<std::pair<TaskState, std::string>> bars = {
      {TaskState::fresh, "new       [>        ]"},
      {TaskState::pending, "pending   [==>      ]"},
      {TaskState::preparing, "preparing [=====>   ]"},
      {TaskState::starting, "starting  [=======> ]"}};
  for (const auto& [state, text] : bars) {
    swarm_.tasks.clear();
    add(1, state);
    EXPECT_EQ(progress_lines(measure(), true)[1], "1/2: " + text);
  }
}

TEST_F(ProgressOf, ManySlotsHaveNoLinesOfTheirOwn) {
  service().settings.replicas = 20;
  EXPECT_THAT(progress_lines(measure(), true), SizeIs(21));
  service().settings.replicas = 21;
  EXPECT_THAT(progress_lines(measure(), true), ElementsAre("overall progress: 0 out of 21 tasks"));
}

TEST_F(ProgressOf, RollingBackSaysSo) {
  service().rollout.edit().state = model::RolloutState::rollback_started;
  EXPECT_EQ(progress_lines(measure(), false)[0], "rolling back update: 0 out of 2 tasks");
}

TEST_F(ProgressOf, ATerminalIsToldHowLongASlotHasWaitedAndAPipeIsNot) {
  add(1, TaskState::ready).desired = TaskState::ready;
  swarm_.tasks.back().wait = {"waiting for web.1 to stop", kNow - seconds(61), seconds(90)};
  EXPECT_EQ(progress_lines(measure(), true)[1],
            "1/2: ready: waiting for web.1 to stop: 1m1s of 1m30s");
  EXPECT_EQ(progress_lines(measure(), false)[1], "1/2: ready: waiting for web.1 to stop");
}

TEST_F(ProgressOf, TheFailureThatASlotRecoversFromHasNoTime) {
  model::Task& failed = add(1, TaskState::failed);
  failed.desired = TaskState::shutdown;
  failed.status.error = "exit code 1";
  add(1, TaskState::assigned);
  EXPECT_EQ(measure().slots[0].text(true), "web.1: exit code 1");
}

TEST_F(ProgressOf, ASlotThatWaitsToBeRestartedSaysWhyItHasTo) {
  model::Task& failed = add(1, TaskState::failed);
  failed.desired = TaskState::shutdown;
  failed.status.error = "task: non-zero exit (1)";
  add(1, TaskState::ready).desired = TaskState::ready;
  swarm_.tasks.back().wait = {"waiting for the restart delay", kNow - seconds(2), seconds(5)};
  EXPECT_EQ(progress_lines(measure(), true)[1],
            "1/2: ready: waiting for the restart delay: 2s of 5s (before it web.1: task: "
            "non-zero exit (1))");
}

TEST_F(ProgressOf, ATaskThatServesNobodyDoesNotRun) {
  model::Task& paused = add(1, TaskState::running);
  paused.status.wait = model::WaitReason::engine;
  paused.status.message = "paused from outside";
  swarm_.tasks.back().wait = {"paused from outside", {}, {}};
  EXPECT_EQ(measure().running, 0U);
  EXPECT_EQ(progress_lines(measure(), false)[1], "1/2: running: paused from outside");
}

class Printer : public ProgressOf {
 protected:
  Terminal terminal(bool is_interactive, size_t width = 80) {
    return {.out = out_, .err = err_, .is_interactive = is_interactive, .width = width};
  }
  StringOutput out_;
  StringOutput err_;
};

TEST_F(Printer, APipeGetsLinesAsTheyChange) {
  Terminal pipe = terminal(false);
  ProgressPrinter printer(pipe, false);
  add(1, TaskState::starting);
  printer.show(measure(), std::nullopt);
  EXPECT_EQ(out_.take(), "overall progress: 0 out of 2 tasks\n1/2: starting\n");
  printer.show(measure(), std::nullopt);
  EXPECT_EQ(out_.take(), "");
  swarm_.tasks[0].task.status.state = TaskState::running;
  printer.show(measure(), std::nullopt);
  EXPECT_EQ(out_.take(), "overall progress: 1 out of 2 tasks\n1/2: running\n");
  printer.show(measure(), seconds(5));
  printer.show(measure(), seconds(4));
  EXPECT_EQ(out_.take(), "verify: Waiting 5 seconds to verify that tasks are stable...\n");
}

TEST_F(Printer, ATerminalIsRewrittenInPlace) {
  Terminal screen = terminal(true);
  ProgressPrinter printer(screen, false);
  add(1, TaskState::running);
  printer.show(measure(), std::nullopt);
  out_.take();
  printer.show(measure(), milliseconds(1500));
  EXPECT_EQ(out_.take(),
            "\x1b[3A\x1b[J"
            "overall progress: 1 out of 2 tasks\n"
            "1/2: running   [========>]\n"
            "2/2: \n"
            "verify: Waiting 2 seconds to verify that tasks are stable...\n");
  printer.say("done");
  EXPECT_EQ(out_.take(), "\x1b[4A\x1b[Jdone\n");
}

TEST_F(Printer, LinesAreCutToTheTerminal) {
  Terminal screen = terminal(true, 12);
  ProgressPrinter printer(screen, false);
  service().settings.replicas = 0;
  printer.show(measure(), std::nullopt);
  EXPECT_EQ(out_.take(), "overall pr…\n");
}

TEST_F(Printer, WithoutATerminalNothingIsCut) {
  Terminal pipe = terminal(false, 0);
  ProgressPrinter printer(pipe, false);
  const std::string cause = "exit code 1: " + std::string(500, 'x') + " the cause";
  add(1, TaskState::rejected).status.error = cause;
  printer.show(measure(), std::nullopt);
  EXPECT_EQ(out_.take(), "overall progress: 0 out of 2 tasks\n1/2: rejected: " + cause + "\n");
}

TEST_F(Printer, ATerminalShowsAsMuchOfACauseAsFits) {
  Terminal screen = terminal(true, 200);
  ProgressPrinter printer(screen, false);
  const std::string cause(150, 'x');
  add(1, TaskState::rejected).status.error = cause;
  printer.show(measure(), std::nullopt);
  EXPECT_THAT(out_.take(), testing::HasSubstr("1/2: rejected: " + cause + "\n"));
}

TEST_F(Printer, ControlCharactersOfACauseDoNotReachTheTerminal) {
  Terminal screen = terminal(true, 60);
  ProgressPrinter printer(screen, false);
  add(1, TaskState::rejected).status.error = "\x1b]0;title\a done";
  printer.show(measure(), std::nullopt);
  EXPECT_THAT(out_.take(), testing::HasSubstr("1/2: rejected: \\u001b]0;title\\u0007 done\n"));
}

TEST_F(Printer, QuietPrintsNothing) {
  Terminal screen = terminal(true);
  ProgressPrinter printer(screen, true);
  printer.show(measure(), std::nullopt);
  printer.say("x");
  EXPECT_EQ(out_.take() + err_.take(), "");
}

}  // namespace
}  // namespace swarm::cli
