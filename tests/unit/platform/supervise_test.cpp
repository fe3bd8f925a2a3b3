#include "platform/supervise.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/waiting_loop.h"

namespace swarm::platform {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Supervise : public testing::Test {
 protected:
  // Starts `script` in a shell under a supervisor of its own.
  void start(const std::string& script, Duration grace = seconds(10), uint64_t max_log = 1 << 20) {
    start_command({"sh", "-c", script}, grace, max_log);
  }

  void start_command(const std::vector<std::string>& command, Duration grace = seconds(10),
                     uint64_t max_log = 1 << 20) {
    SpawnRequest request;
    request.command = {SUPERVISE_ONCE, folder_.path().string(),
                       std::to_string(grace / milliseconds(1)), std::to_string(max_log)};
    request.command.insert(request.command.end(), command.begin(), command.end());
    request.wants_report = true;
    ProcessEvents events;
    events.on_report = [this](std::string text) { report_ = std::move(text); };
    events.on_exit = [this](ExitStatus) { has_ended_ = true; };
    auto supervisor = spawn_process(loop_.loop(), request, std::move(events));
    ASSERT_TRUE(supervisor.ok()) << supervisor.status();
    supervisor_ = *std::move(supervisor);
  }

  bool await_start() {
    return loop_.until([&] { return !report_.empty(); });
  }
  bool await_end() {
    return loop_.until([&] { return has_ended_; });
  }
  bool await_output(const std::string& text) {
    return loop_.until([&] { return output().find(text) != std::string::npos; });
  }
  std::string output() { return read_all(folder_.path() / "out"); }
  std::string result() { return read_all(folder_.path() / "result"); }
  // The process whose number the script printed as its last word.
  ProcessId printed_process() {
    const std::string text = output();
    const auto process = identify_process(std::stoll(text.substr(text.rfind(' ') + 1)));
    return process.ok() ? *process : ProcessId{};
  }

  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  std::unique_ptr<WatchedProcess> supervisor_;
  std::string report_;
  bool has_ended_ = false;
};

TEST_F(Supervise, ReportsTheExitCode) {
  start("exit 7");
  ASSERT_TRUE(await_end());
  EXPECT_EQ(result(), "7 0");
}

TEST_F(Supervise, ReportsTheSignalThatEndedTheProcess) {
  start("kill -ABRT $$");
  ASSERT_TRUE(await_end());
  EXPECT_EQ(result(), "134 6");
}

TEST_F(Supervise, SaysWhyACommandCannotBeStarted) {
  start_command({"/no/such/program"});
  ASSERT_TRUE(await_end());
  EXPECT_EQ(result(), "cannot start /no/such/program: No such file or directory");
  EXPECT_EQ(report_, "");
}

TEST_F(Supervise, GivesTheProcessItsFolderAndItsEnvironmentOnly) {
  start("pwd; env | sort");
  ASSERT_TRUE(await_end());
  EXPECT_NE(output().find(folder_.path().string() + "\n"), std::string::npos) << output();
  EXPECT_NE(output().find("GREETING=hello\n"), std::string::npos) << output();
  EXPECT_EQ(output().find("HOME="), std::string::npos) << output();
}

TEST_F(Supervise, GivesTheProcessNoOtherOpenFiles) {
  // No pipeline and no redirection: for either the shell itself has a file more open.
  start("ls /proc/$$/fd; true");
  ASSERT_TRUE(await_end());
  EXPECT_EQ(output(), "0\n1\n2\n");
}

TEST_F(Supervise, LeavesTheProcessToTheOutOfMemoryKillerAsAnyOther) {
  const std::string own = read_all("/proc/self/oom_score_adj");
  if (own != "0\n") {
    GTEST_SKIP() << "this machine gives its processes a score: " << own;
  }
  std::ofstream("/proc/self/oom_score_adj") << 300;  // inherited by the supervisor
  start("cat /proc/self/oom_score_adj");
  ASSERT_TRUE(await_end());
  std::ofstream("/proc/self/oom_score_adj") << 0;
  EXPECT_EQ(output(), "0\n");
}

TEST_F(Supervise, KeepsOutputAndErrorsApart) {
  start("echo to-out; echo to-err >&2");
  ASSERT_TRUE(await_end());
  EXPECT_EQ(output(), "to-out\n");
  EXPECT_EQ(read_all(folder_.path() / "err"), "to-err\n");
}

TEST_F(Supervise, BoundsALogAndKeepsOneOldPart) {
  start("i=0; while [ $i -lt 400 ]; do echo 0123456789; i=$((i+1)); done", seconds(10), 1000);
  ASSERT_TRUE(await_end());
  EXPECT_LE(std::filesystem::file_size(folder_.path() / "out"), 1000U);
  EXPECT_EQ(std::filesystem::file_size(folder_.path() / "out.1"), 1000U);
  EXPECT_EQ(result(), "0 0");
}

TEST_F(Supervise, PassesTheStopSignalOn) {
  start("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(await_output("ready"));
  ASSERT_TRUE(terminate_process(supervisor_->id()).ok());
  ASSERT_TRUE(await_end());
  EXPECT_EQ(result(), "3 0");
  EXPECT_NE(output().find("bye"), std::string::npos);
}

TEST_F(Supervise, KillsWhatIgnoresTheStopSignalAfterTheGracePeriod) {
  start("trap '' TERM; echo ready; while :; do sleep 0.01; done", milliseconds(50));
  ASSERT_TRUE(await_output("ready"));
  ASSERT_TRUE(terminate_process(supervisor_->id()).ok());
  ASSERT_TRUE(await_end());
  EXPECT_EQ(result(), "137 9");
}

TEST_F(Supervise, EndsTheWholeGroupWithTheProcess) {
  start("sleep 1000 & echo child $!; read line < /dev/null; exit 0");
  ASSERT_TRUE(await_output("child"));
  ASSERT_TRUE(await_end());
  const std::string text = output();
  EXPECT_FALSE(identify_process(std::stoll(text.substr(text.rfind(' ') + 1))).ok());
}

TEST_F(Supervise, EndsDescendantsThatLeftTheGroupAndTheirParent) {
  // A daemon: in a session of its own, and its parent is gone.
  start("(setsid sh -c 'echo daemon $$; exec sleep 1000' &) ; exec sleep 1000");
  ASSERT_TRUE(await_output("daemon"));
  const ProcessId daemon = printed_process();
  ASSERT_TRUE(is_alive(daemon));
  ASSERT_TRUE(terminate_process(supervisor_->id()).ok());
  ASSERT_TRUE(await_end());
  EXPECT_FALSE(is_alive(daemon));
  EXPECT_EQ(result(), "143 15");
}

TEST_F(Supervise, DoesNotWaitForOrphansToEndBeforeTheProcess) {
  start("(sleep 0.01 &) ; (sleep 0.01 &) ; sleep 0.1; exit 5");
  ASSERT_TRUE(await_end());
  EXPECT_EQ(result(), "5 0");
}

TEST_F(Supervise, ReportsTheProcessOnceItRuns) {
  start("sleep 1000");
  ASSERT_TRUE(await_start());
  const auto process = identify_process(std::stoll(report_));
  ASSERT_TRUE(process.ok());
  EXPECT_TRUE(is_alive(*process));
  ASSERT_TRUE(terminate_process(supervisor_->id()).ok());
  ASSERT_TRUE(await_end());
  EXPECT_FALSE(is_alive(*process));
}

}  // namespace
}  // namespace swarm::platform
