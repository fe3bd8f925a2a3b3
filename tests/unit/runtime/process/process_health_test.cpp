#include <gmock/gmock.h>

#include "executor_fixture.h"

namespace swarm::runtime {
namespace {

class ProcessHealth : public ExecutorTest {
 protected:
  static model::HealthCheck check(std::vector<std::string> test) {
    model::HealthCheck check;
    check.test = std::move(test);
    check.interval = milliseconds(20);
    check.timeout = seconds(5);
    check.retries = 2;
    return check;
  }
};

TEST_F(ProcessHealth, TaskWithoutCheckAndPortsWorksOnceStarted) {
  add_script("app", "exec sleep 1000");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  EXPECT_TRUE(await_event("t1", Kind::healthy));
}

TEST_F(ProcessHealth, TaskWithPortsWorksOnceTheyAccept) {
  add_web();
  ASSERT_TRUE(run("t1", web_spec()).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  const auto& addresses = find_event("t1", Kind::healthy)->addresses;
  ASSERT_EQ(addresses.size(), 1U);
  EXPECT_EQ(addresses[0].target, 80);
  EXPECT_EQ(fetch(addresses[0].address), "web 1.0\n");
}

TEST_F(ProcessHealth, TaskThatNeverListensIsNeverHealthy) {
  add_script("app", "exec sleep 1000");
  model::TaskTemplate with_port = spec("app");
  with_port.ports.push_back({.target = 80, .published = 8080});
  ASSERT_TRUE(run("t1", with_port).ok());
  ASSERT_TRUE(await_event("t1", Kind::waiting));
  loop_.idle(milliseconds(200));
  EXPECT_EQ(events_.size(), 1U) << "it waits for what is refused, and for nothing else";
}

TEST_F(ProcessHealth, TwoTasksOfOneServiceRunSideBySide) {
  add_web();
  ASSERT_TRUE(run("t1", web_spec()).ok());
  ASSERT_TRUE(run("t2", web_spec()).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  ASSERT_TRUE(await_event("t2", Kind::healthy));
  EXPECT_NE(find_event("t1", Kind::healthy)->addresses[0].address,
            find_event("t2", Kind::healthy)->addresses[0].address);
}

TEST_F(ProcessHealth, HttpCheckOfTheManifestIsUsed) {
  add_web(R"(, "health": {"test": ["HTTP", "/health"], "interval_ms": 100})");
  ASSERT_TRUE(run("t1", web_spec()).ok());
  EXPECT_TRUE(await_event("t1", Kind::healthy));
}

TEST_F(ProcessHealth, HttpCheckThatFailsMakesTheTaskUnhealthy) {
  add_web();
  model::TaskTemplate ill = web_spec();
  ill.container.args = {"--unhealthy"};
  ill.container.health = check({"HTTP", "/health"});
  ASSERT_TRUE(run("t1", ill).ok());
  ASSERT_TRUE(await_event("t1", Kind::unhealthy));
  EXPECT_THAT(find_event("t1", Kind::unhealthy)->error, testing::HasSubstr("/health: "));
  EXPECT_EQ(find_event("t1", Kind::healthy), nullptr);
  EXPECT_TRUE(stop("t1", seconds(10)).ok());
}

TEST_F(ProcessHealth, HttpCheckOfATaskThatPublishesNothingFindsItsOwnPort) {
  add_web();
  model::TaskTemplate without_port = spec("web:1.0");
  without_port.container.health = check({"HTTP", "/health"});
  ASSERT_TRUE(run("t1", without_port).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  EXPECT_TRUE(find_event("t1", Kind::healthy)->addresses.empty());
  EXPECT_TRUE(stop("t1", seconds(10)).ok());
}

TEST_F(ProcessHealth, CommandCheckRunsInTheTasksFolderAndEnvironment) {
  add_script("app", "exec sleep 1000", R"(, "env": {"MODE": "test"})");
  model::TaskTemplate checked = spec("app");
  checked.container.health = check({"CMD-SHELL", "test $MODE = test && test -e manifest.json"});
  ASSERT_TRUE(run("t1", checked).ok());
  EXPECT_TRUE(await_event("t1", Kind::healthy));
}

TEST_F(ProcessHealth, CommandCheckFailsByItsExitCode) {
  add_script("app", "exec sleep 1000");
  model::TaskTemplate checked = spec("app");
  checked.container.health = check({"CMD", "false"});
  ASSERT_TRUE(run("t1", checked).ok());
  ASSERT_TRUE(await_event("t1", Kind::unhealthy));
  EXPECT_EQ(find_event("t1", Kind::unhealthy)->error, "health check 'false' ended with code 1");
}

TEST_F(ProcessHealth, CommandCheckTellsWhatItPrinted) {
  add_script("app", "exec sleep 1000");
  model::TaskTemplate checked = spec("app");
  checked.container.health =
      check({"CMD-SHELL", "echo no database; printf '\\033[31mred' >&2; exit 4"});
  ASSERT_TRUE(run("t1", checked).ok());
  ASSERT_TRUE(await_event("t1", Kind::unhealthy));
  EXPECT_EQ(find_event("t1", Kind::unhealthy)->error,
            "health check '/bin/sh' ended with code 4: no database\\n\\x1b[31mred");
  EXPECT_EQ(find_event("t1", Kind::waiting)->error, find_event("t1", Kind::unhealthy)->error);
}

TEST_F(ProcessHealth, ALongIntervalDoesNotDelayTheFirstSuccess) {
  add_script("app", "sleep 0.1; echo > up; exec sleep 1000");
  model::TaskTemplate checked = spec("app");
  checked.container.health = check({"CMD-SHELL", "test -e up"});
  checked.container.health.edit().interval = hours(1);
  ASSERT_TRUE(run("t1", checked).ok());
  EXPECT_TRUE(await_event("t1", Kind::healthy));
}

TEST_F(ProcessHealth, SettingsWithoutACommandChangeTheBundlesOwnCheck) {
  add_script("app", "exec sleep 1000",
             R"(, "health": {"test": ["CMD", "false"], "interval_ms": 3600000, "retries": 9})");
  model::TaskTemplate tuned = spec("app");
  tuned.container.health.edit().interval = milliseconds(20);
  tuned.container.health.edit().retries = 1;
  ASSERT_TRUE(run("t1", tuned).ok());
  EXPECT_TRUE(await_event("t1", Kind::unhealthy));
}

TEST_F(ProcessHealth, SettingsWithoutAnyCheckAreRefused) {
  add_script("app", "exec sleep 1000");
  model::TaskTemplate tuned = spec("app");
  tuned.container.health.edit().interval = seconds(3);
  const Status status = prepare("t1", tuned);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(status.message(),
            "health settings without a health check: image \"app\" has none of its own; give one "
            "with --health-cmd, or leave the settings out");
}

TEST_F(ProcessHealth, CommandCheckThatHangsIsKilledWithAllItStarted) {
  add_script("app", "exec sleep 1000");
  model::TaskTemplate checked = spec("app");
  checked.container.health = check({"CMD-SHELL", "echo $$ > pid; sleep 1000; true"});
  checked.container.health.edit().timeout = milliseconds(50);
  ASSERT_TRUE(run("t1", checked).ok());
  ASSERT_TRUE(await_event("t1", Kind::unhealthy));
  EXPECT_EQ(find_event("t1", Kind::unhealthy)->error, "health check '/bin/sh' took too long");
  int64_t pid = 0;
  std::ifstream(folder_.path() / "bundles/app/latest/pid") >> pid;
  EXPECT_FALSE(platform::identify_process(pid).ok());
}

TEST_F(ProcessHealth, NoneTurnsTheManifestsCheckOff) {
  add_web(R"(, "health": {"test": ["CMD", "false"], "interval_ms": 10, "retries": 1})");
  model::TaskTemplate unchecked = web_spec();
  unchecked.container.health = check({"NONE"});
  ASSERT_TRUE(run("t1", unchecked).ok());
  EXPECT_TRUE(await_event("t1", Kind::healthy)) << "it accepts connections";
}

TEST_F(ProcessHealth, AdoptedTaskIsStillHealthyAndServes) {
  add_web();
  ASSERT_TRUE(run("t1", web_spec()).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  const auto addresses = find_event("t1", Kind::healthy)->addresses;
  restart();
  const auto existing = list();
  ASSERT_EQ(existing.size(), 1U);
  EXPECT_TRUE(existing[0].is_healthy);
  EXPECT_EQ(existing[0].addresses, addresses);
  EXPECT_EQ(fetch(addresses[0].address), "web 1.0\n");
  loop_.idle(milliseconds(100));
  EXPECT_TRUE(events_.empty()) << "nothing new";
}

TEST_F(ProcessHealth, TaskAdoptedBeforeItWasHealthyBecomesSo) {
  add_script("app", "while [ ! -e $SWARM_TASK_ID.go ]; do sleep 0.01; done; exec sleep 1000");
  model::TaskTemplate checked = spec("app");
  checked.container.health = check({"CMD-SHELL", "test -e t1.go"});
  checked.container.health.edit().retries = 1000;
  ASSERT_TRUE(run("t1", checked).ok());
  restart();
  ASSERT_EQ(list().size(), 1U);
  EXPECT_FALSE(list()[0].is_healthy);
  std::ofstream(folder_.path() / "bundles/app/latest/t1.go") << "";
  EXPECT_TRUE(await_event("t1", Kind::healthy));
}

}  // namespace
}  // namespace swarm::runtime
