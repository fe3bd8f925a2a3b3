#include "platform/process.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "platform/machine.h"
#include "support/waiting_loop.h"

namespace swarm::platform {
namespace {

class Processes : public testing::Test {
 protected:
  std::unique_ptr<WatchedProcess> spawn(const std::string& script, bool wants_report = false) {
    SpawnRequest request;
    request.command = {"/bin/sh", "-c", script};
    request.environment = {"PATH=/usr/bin:/bin"};
    request.error_log = folder_.path() / "errors";
    request.wants_report = wants_report;
    ProcessEvents events;
    events.on_report = [this](std::string text) {
      EXPECT_FALSE(exit_) << "the report comes first";
      report_ = std::move(text);
    };
    events.on_exit = [this](ExitStatus status) { exit_ = status; };
    auto process = spawn_process(loop_.loop(), request, std::move(events));
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }

  // Processes that sleep with this in their environment.
  static int count_marked(const std::string& variable) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream name(entry.path() / "comm");
      std::ifstream environment(entry.path() / "environ");
      std::ostringstream text;
      text << environment.rdbuf();
      std::string comm;
      count += std::getline(name, comm) && comm == "sleep" &&
                       text.str().find(variable) != std::string::npos
                   ? 1
                   : 0;
    }
    return count;
  }

  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  std::optional<std::string> report_;
  std::optional<ExitStatus> exit_;
};

TEST_F(Processes, ExitCodeOfAChildIsKnown) {
  const auto process = spawn("exit 3");
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  EXPECT_TRUE(exit_->is_known);
  EXPECT_EQ(exit_->code, 3);
  EXPECT_EQ(exit_->signal, 0);
}

TEST_F(Processes, SignalThatEndedAChildIsKnown) {
  const auto process = spawn("kill -KILL $$");
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  EXPECT_EQ(exit_->signal, 9);
  EXPECT_EQ(exit_->code, 137);
}

TEST_F(Processes, OutputIsHandedOverBeforeTheExitAndItsEndIsKept) {
  SpawnRequest request;
  request.command = {"/bin/sh", "-c",
                     "i=0; while [ $i -lt 2000 ]; do echo 0123456789; i=$((i+1)); done; "
                     "echo last >&2"};
  request.environment = {"PATH=/usr/bin:/bin"};
  request.wants_output = true;
  ProcessEvents events;
  events.on_report = [this](std::string text) { report_ = std::move(text); };
  events.on_exit = [this](ExitStatus status) { exit_ = status; };
  const auto process = spawn_process(loop_.loop(), request, std::move(events));
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  ASSERT_TRUE(report_.has_value());
  EXPECT_EQ(report_->size(), kMaxOutputBytes);
  EXPECT_TRUE(report_->ends_with("0123456789\nlast\n"));
}

TEST_F(Processes, AChildThatKeepsTheOutputOpenDoesNotKeepTheEndBack) {
  SpawnRequest request;
  request.command = {"/bin/sh", "-c", "sleep 1000 & echo $!"};
  request.environment = {"PATH=/usr/bin:/bin"};
  request.wants_output = true;
  ProcessEvents events;
  events.on_report = [this](std::string text) { report_ = std::move(text); };
  events.on_exit = [this](ExitStatus status) { exit_ = status; };
  const auto process = spawn_process(loop_.loop(), request, std::move(events));
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  ASSERT_TRUE(report_.has_value());
  const auto child = identify_process(std::stoll(*report_));
  ASSERT_TRUE(child.ok());
  EXPECT_TRUE(kill_process(*child).ok());
}

TEST_F(Processes, MarkedProcessesAreEndedWhereverTheyWent) {
  const std::string mark = "TEST_MARK=" + folder_.path().string();
  SpawnRequest request;
  request.command = {"/bin/sh", "-c", "(setsid sleep 1000 &) ; exec sleep 1000"};
  request.environment = {"PATH=/usr/bin:/bin", mark};
  ProcessEvents events;
  events.on_exit = [this](ExitStatus status) { exit_ = status; };
  const auto marked = spawn_process(loop_.loop(), request, std::move(events));
  ASSERT_TRUE(marked.ok());
  const auto other = spawn("exec sleep 1000");
  ASSERT_TRUE(loop_.until([&] { return count_marked(mark) == 2; }));
  kill_marked_processes(mark);
  EXPECT_TRUE(loop_.until([&] { return count_marked(mark) == 0; }));
  EXPECT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  EXPECT_TRUE(is_alive(other->id()));
  EXPECT_TRUE(kill_process(other->id()).ok());
}

TEST(SignalNames, AreThoseOfTheSystem) {
  EXPECT_EQ(signal_name(9), "SIGKILL");
  EXPECT_EQ(signal_name(11), "SIGSEGV");
  EXPECT_EQ(signal_name(63), "signal 63");
}

TEST_F(Processes, ReportIsHandedOverBeforeTheExit) {
  const auto process = spawn("echo hello >&3", true);
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  EXPECT_EQ(report_, "hello\n");
}

TEST_F(Processes, ReportIsHandedOverWhileTheProcessLives) {
  const auto process = spawn("echo hello >&3; exec 3>&-; exec sleep 1000", true);
  ASSERT_TRUE(loop_.until([&] { return report_.has_value(); }));
  EXPECT_TRUE(is_alive(process->id()));
  ASSERT_TRUE(kill_process(process->id()).ok());
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
}

// The exit is often seen before the report is read: the grace given to the report must end with it.
TEST_F(Processes, ReportAfterTheExitLeavesNoTimerBehind) {
  std::vector<std::unique_ptr<WatchedProcess>> kept;
  for (int i = 0; i < 20; ++i) {
    exit_.reset();
    report_.reset();
    kept.push_back(spawn("echo hello >&3", true));
    ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  }
  bool has_passed = false;
  Timer later(loop_.loop());
  later.set_after(seconds(2), [&] { has_passed = true; });
  EXPECT_TRUE(loop_.until([&] { return has_passed; }));
}

TEST_F(Processes, ReportPipeKeptByADescendantDoesNotHideTheExit) {
  const auto process = spawn("echo hello >&3; sleep 1000 & exit 0", true);
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  EXPECT_EQ(report_, "hello\n");
  EXPECT_TRUE(kill_process_group(process->id()).ok());
}

TEST_F(Processes, ChildrenLeadTheirOwnSession) {
  const auto process = spawn("ps -o sid= -p $$ >&3", true);
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  EXPECT_EQ(std::stoll(*report_), process->id().pid);
}

TEST_F(Processes, ErrorsOfAChildGoToItsLog) {
  const auto process = spawn("echo oops >&2");
  ASSERT_TRUE(loop_.until([&] { return exit_.has_value(); }));
  std::ifstream file(folder_.path() / "errors");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "oops");
}

TEST_F(Processes, ForgettingAChildDoesNotEndIt) {
  auto process = spawn("exec sleep 1000");
  const ProcessId id = process->id();
  process.reset();
  EXPECT_TRUE(is_alive(id));
  bool has_ended = false;
  const auto again = watch_process(loop_.loop(), id, [&](ExitStatus) { has_ended = true; });
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(kill_process(id).ok());
  EXPECT_TRUE(loop_.until([&] { return has_ended; }));
  EXPECT_FALSE(is_alive(id));
}

TEST_F(Processes, AChildThatEndsUnwatchedIsCollected) {
  auto process = spawn("exec sleep 1000");
  const ProcessId id = process->id();
  process.reset();
  collect_unwatched_children();
  EXPECT_TRUE(is_alive(id));
  ASSERT_TRUE(kill_process(id).ok());
  EXPECT_TRUE(loop_.until([&] {
    collect_unwatched_children();
    return absl::IsNotFound(identify_process(id.pid).status());
  })) << "a zombie is left";
}

TEST_F(Processes, AChildThatEndedBeforeItsWatchIsCollectedWithIt) {
  auto process = spawn("exec sleep 1000");
  const ProcessId id = process->id();
  ASSERT_TRUE(kill_process(id).ok());
  while (is_alive(id)) {
  }
  process.reset();
  EXPECT_TRUE(absl::IsNotFound(identify_process(id.pid).status())) << "a zombie is left";
}

TEST_F(Processes, StartOfAMissingProgramFails) {
  SpawnRequest request;
  request.command = {"/no/such/program"};
  const auto process = spawn_process(loop_.loop(), request, {});
  EXPECT_TRUE(absl::IsNotFound(process.status())) << process.status();
}

TEST_F(Processes, ProcessWithTheSamePidButAnotherBirthIsAnother) {
  ProcessId other = current_process();
  EXPECT_TRUE(is_alive(other));
  other.birth += "0";
  EXPECT_FALSE(is_alive(other));
  EXPECT_TRUE(absl::IsNotFound(terminate_process(other)));
  EXPECT_TRUE(absl::IsNotFound(watch_process(loop_.loop(), other, [](ExitStatus) {}).status()));
  EXPECT_TRUE(kill_process_group(other).ok()) << "and we still live";
}

TEST_F(Processes, EndedProcessIsNotAliveEvenBeforeItIsCollected) {
  const auto process = spawn("exit 0");
  // Nothing runs the loop: nobody collects it.
  const TimePoint end = loop_.loop().now() + seconds(20);
  while (is_alive(process->id()) && loop_.loop().now() < end) {
  }
  EXPECT_FALSE(is_alive(process->id()));
  EXPECT_TRUE(absl::IsNotFound(kill_process(process->id())));
}

TEST(Signals, AreNamedInThreeWays) {
  EXPECT_EQ(*parse_signal("SIGTERM"), 15);
  EXPECT_EQ(*parse_signal("INT"), 2);
  EXPECT_EQ(*parse_signal("9"), 9);
  EXPECT_FALSE(parse_signal("SIGNONSENSE").ok());
  EXPECT_FALSE(parse_signal("0").ok());
  EXPECT_FALSE(parse_signal("").ok());
}

TEST(Machine, HasProcessorsAndMemory) {
  const Machine machine = describe_machine();
  EXPECT_GE(machine.cpus, 1);
  EXPECT_GT(machine.memory_bytes, 1 << 20);
}

}  // namespace
}  // namespace swarm::platform
