#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.h"
#include "cli/rows.h"
#include "fixture.h"

// What reaches the terminal, and what happens when nothing does.
namespace swarm::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kCommandsWithOutput[] = {
    "--help",
    "--version",
    "service --help",
    "service ls --help",
    "service ls",
    "service ps web",
    "service inspect web",
    "service inspect --pretty web",
    "service history web",
    "node ls",
    "node ps",
    "node inspect self",
    "swarm inspect",
    "swarm join-token worker",
    "version",
    "completion bash",
    "service create -d web:1.0",
    "service scale -d web=2",
    "node update --label-add a=b alpha",
};

TEST(Output, ThatCannotBeWrittenIsAnErrorOfEveryCommand) {
  for (const char* command : kCommandsWithOutput) {
    Fixture fixture;
    fill_with_sample(fixture.swarm);
    const RunResult before = fixture.run(command);
    ASSERT_EQ(before.exit_code, 0) << command << "\n" << before.err;
    Fixture full;
    fill_with_sample(full.swarm);
    full.output_failure = absl::DataLossError("No space left on device");
    const RunResult result = full.run(command);
    EXPECT_EQ(result.exit_code, 1) << command;
    EXPECT_EQ(result.err, "Error: cannot write the output: No space left on device\n") << command;
  }
}

TEST(Output, AReaderThatHasGoneIsNoCauseForComplaint) {
  Fixture fixture;
  fixture.output_failure = absl::CancelledError("nobody reads the output");
  const RunResult result = fixture.run("service ls");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "");
}

TEST(Output, AnErrorOfTheCommandKeepsItsExitCode) {
  Fixture fixture;
  fixture.output_failure = absl::DataLossError("No space left on device");
  EXPECT_EQ(fixture.run("service ls --bogus").exit_code, 125);
}

// Whoever may set a label or name an image must not write to the terminals of those who look.
TEST(Output, NoControlCharacterOfAnObjectReachesATerminal) {
  const std::string evil = "x\x1b]0;owned\x07\x1b[2J\u009b2J";
  Fixture fixture;
  fill_with_sample(fixture.swarm);
  FakeSwarm& swarm = fixture.swarm;
  swarm.service("web").service.settings.labels[evil] = evil;
  swarm.service("web").task.container.env = {"A=" + evil};
  swarm.service("web").task.container.args = {evil};
  swarm.service("web").service.rollout.edit().message = evil;
  swarm.nodes[0].node.spec.labels["a"] = evil;
  swarm.nodes[0].node.description.hostname = evil;
  swarm.nodes[0].node.status.message = evil;
  for (api::Client::TaskView& view : swarm.tasks) {
    view.task.status.error = evil;
    view.node_hostname = evil;
  }
  for (const char* command :
       {"service ls", "service ps web", "service ps --no-trunc --format '{{.Error}}' web",
        "service inspect web", "service inspect --pretty web",
        "service inspect --format '{{.Spec.Labels}}' web", "node ls", "node ps",
        "node inspect self", "node inspect --pretty self", "service ps --format json web"}) {
    const RunResult result = fixture.run(command);
    for (const char* control : {"\x1b", "\x07", "\u009b"}) {
      EXPECT_THAT(result.out + result.err, Not(HasSubstr(control))) << command;
    }
  }
  swarm.failure = absl::InternalError(evil);
  EXPECT_THAT(fixture.run("service ls").err, HasSubstr("x\\u001b]0;owned"));
}

TEST(Output, AValueOfSeveralLinesStaysOnItsRow) {
  Fixture fixture;
  fill_with_sample(fixture.swarm);
  for (api::Client::TaskView& view : fixture.swarm.tasks) {
    view.task.status.error = "one\ntwo\tthree";
  }
  EXPECT_THAT(fixture.run("service ps web").out, HasSubstr("\"one two three\""));
}

// One that runs no task of the service, for one.
TEST(TaskTable, APortThatIsClosedOnAnyNodeIsSaidBesideTheTable) {
  Fixture fixture;
  fill_with_sample(fixture.swarm);
  EXPECT_EQ(fixture.run("service ps web").err, "");
  fixture.swarm.service("web").closed_ports = {
      {model::NodeId("n9"), "gamma", {80, 8080}, "it is in use by another program"}};
  EXPECT_EQ(fixture.run("service ps web").err,
            "Warning: web: port 8080/tcp is closed on node gamma: it is in use by another "
            "program\n");
  EXPECT_EQ(fixture.run("service ps -q web").err, "");
}

TEST(TaskTable, TheErrorColumnShowsErrorsAndTheWaitColumnWaits) {
  Fixture fixture;
  fill_with_sample(fixture.swarm);
  for (api::Client::TaskView& view : fixture.swarm.tasks) {
    view.task.status = model::TaskStatus();
    view.task.status.state = model::TaskState::running;
    view.task.status.message = "started";
  }
  EXPECT_THAT(fixture.run("service ps web").out, Not(HasSubstr("WAIT")));
  api::Client::TaskView& first = fixture.swarm.tasks[0];
  first.wait = {"waiting for web.1 on node beta to stop", kNow - milliseconds(61'500), seconds(90)};
  EXPECT_THAT(fixture.run("service ps web").out, HasSubstr("WAIT "));
  EXPECT_THAT(fixture.run("service ps --format '{{.Wait}}|{{.Error}}' web").out,
              HasSubstr("waiting for web.1 on node beta to stop: 1m1s of 1m30s|\n"));
  first.wait = {"no suitable node (the swarm has no nodes)", kNow, {}};
  first.task.status.error = first.wait->what;
  EXPECT_THAT(fixture.run("service ps --format '{{.Wait}}|{{.Error}}' web").out,
              HasSubstr("|\"no suitable node (the swarm has no nodes)\"\n"));
}

TEST(TaskTable, AWaitThatMayLastForEverTellsItsTimeSoFar) {
  const model::TaskWait wait{"started, not yet healthy", kNow - seconds(12), {}};
  EXPECT_EQ(time_waited(wait, kNow), "12s");
  EXPECT_EQ(time_waited({"paused from outside", {}, {}}, kNow), "") << "nobody knows";
  EXPECT_EQ(time_waited(wait, kNow - seconds(20)), "0s") << "by a clock that is behind";
}

TEST(TaskTable, AnErrorIsCutOnlyToTheWidthOfATerminal) {
  Fixture fixture;
  fill_with_sample(fixture.swarm);
  const std::string error = "task: exit code 1: " + std::string(200, 'x') + " the cause";
  for (api::Client::TaskView& view : fixture.swarm.tasks) {
    view.task.status.error = error;
  }
  EXPECT_THAT(fixture.run("service ps web").out, HasSubstr(error));
  fixture.width = 160;
  EXPECT_THAT(fixture.run("service ps web").out, Not(HasSubstr("the cause")));
  EXPECT_THAT(fixture.run("service ps --no-trunc web").out, HasSubstr(error));
  fixture.width = 400;
  EXPECT_THAT(fixture.run("service ps web").out, HasSubstr(error));
}

}  // namespace
}  // namespace swarm::cli
