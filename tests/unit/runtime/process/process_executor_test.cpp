#include "runtime/process/process_executor.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "executor_fixture.h"
#include "platform/machine.h"

namespace swarm::runtime {
namespace {

using testing::HasSubstr;
using State = agent::ExistingTask::State;

class Processes : public ExecutorTest {};

TEST_F(Processes, DescribeTheMachine) {
  std::optional<agent::EngineDescription> description;
  executor_->describe([&](Result<agent::EngineDescription> got) { description = *got; });
  ASSERT_TRUE(description.has_value());
  EXPECT_EQ(description->runtime, "process");
  EXPECT_EQ(description->version, "0.1.0");
  EXPECT_EQ(description->resources.nano_cpus, platform::describe_machine().cpus * 1'000'000'000);
}

TEST_F(Processes, MissingImageIsNamedWithWhatThereIs) {
  add_bundle("web", "1.0", R"({"command": ["x"]})");
  add_bundle("web", "1.1", R"({"command": ["x"]})");
  const Status status = prepare("t1", spec("web:9"));
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no such image \"web:9\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("(available: web:1.0, web:1.1)"));
}

TEST_F(Processes, RefuseWhatTheyCannotDo) {
  add_script("app", "exit 0");
  model::TaskTemplate with_mount = spec("app");
  with_mount.container.mounts.push_back({.source = "/a", .target = "/b"});
  const Status status = prepare("t1", with_mount);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no mounts"));
  model::TaskTemplate with_user = spec("app");
  with_user.container.overrides.edit().user = "nobody";
  EXPECT_TRUE(absl::IsFailedPrecondition(prepare("t2", with_user)));
  EXPECT_FALSE(std::filesystem::exists(task_folder("t1")));
}

TEST_F(Processes, TaskIdThatIsAPathIsRefused) {
  add_script("app", "exit 0");
  EXPECT_TRUE(absl::IsFailedPrecondition(prepare("../t1", spec("app"))));
}

TEST_F(Processes, ExitCodeIsReported) {
  add_script("app", "exit 7");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 7);
  EXPECT_EQ(find_event("t1", Kind::exited)->error, "");
}

TEST_F(Processes, KilledProcessIsReportedWithItsSignal) {
  add_script("app", "kill -KILL $$");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 137);
  EXPECT_EQ(find_event("t1", Kind::exited)->error, "killed by SIGKILL");
}

TEST_F(Processes, CommandThatCannotBeStartedIsARefusal) {
  add_bundle("app", "latest", R"({"command": ["/no/such/program"]})");
  const Status status = run("t1", spec("app"));
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(status.message(), "cannot start /no/such/program: No such file or directory");
  EXPECT_TRUE(remove("t1").ok());
  EXPECT_FALSE(std::filesystem::exists(task_folder("t1")));
}

TEST_F(Processes, KnowWhoTheyAre) {
  add_script("app", "env | sort", R"(, "env": {"MODE": "test", "OTHER": "manifest"})");
  model::TaskTemplate with_env = spec("app");
  with_env.container.env = {"OTHER=service", "MORE=1"};
  ASSERT_TRUE(run("t1", with_env).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  for (const char* const line :
       {"SWARM_TASK_ID=t1\n", "SWARM_TASK_SLOT=3\n", "SWARM_SERVICE_NAME=web\n",
        "SWARM_NODE_ID=node1\n", "MODE=test\n", "OTHER=service\n", "MORE=1\n"}) {
    EXPECT_THAT(output("t1"), HasSubstr(line));
  }
}

TEST_F(Processes, ArgumentsReplaceThoseOfTheManifest) {
  add_bundle("app", "latest", R"({"command": ["/bin/echo", "manifest"]})");
  model::TaskTemplate with_arguments = spec("app");
  with_arguments.container.args = {"service", "arguments"};
  ASSERT_TRUE(run("t1", with_arguments).ok());
  ASSERT_TRUE(await_output("t1", "service arguments\n"));
}

TEST_F(Processes, ProgramsOfTheBundleComeFirst) {
  add_bundle("app", "latest", R"({"command": ["./tool"]})");
  const auto tool = folder_.path() / "bundles/app/latest/tool";
  std::ofstream(tool) << "#!/bin/sh\npwd\n";
  std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
  ASSERT_TRUE(run("t1", spec("app")).ok());
  EXPECT_TRUE(await_output("t1", "bundles/app/latest\n"));
}

TEST_F(Processes, PortsAreToldToTheProcessAndReported) {
  add_script("app", "env | sort");
  model::TaskTemplate with_ports = spec("app");
  with_ports.ports = {{.target = 80, .published = 8080}, {.target = 443, .published = 8443}};
  ASSERT_TRUE(run("t1", with_ports).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  const auto existing = list();
  ASSERT_EQ(existing.size(), 1U);
  ASSERT_EQ(existing[0].addresses.size(), 2U);
  const std::string first = existing[0].addresses[0].address;
  EXPECT_TRUE(first.starts_with("127.0.0.1:2")) << first;
  EXPECT_EQ(existing[0].addresses[0].target, 80);
  EXPECT_THAT(output("t1"), HasSubstr("PORT=" + first.substr(10) + "\n"));
  EXPECT_THAT(output("t1"), HasSubstr("PORT_80=" + first.substr(10) + "\n"));
  EXPECT_THAT(output("t1"),
              HasSubstr("PORT_443=" + existing[0].addresses[1].address.substr(10) + "\n"));
}

TEST_F(Processes, StopSendsTheSignalAndWaits) {
  add_script("app", "trap 'exit 4' INT; echo ready; while :; do sleep 0.01; done",
             R"(, "stop_signal": "SIGINT")");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  ASSERT_TRUE(await_output("t1", "ready"));
  ASSERT_TRUE(stop("t1", seconds(10)).ok());
  const auto* const event = find_event("t1", Kind::exited);
  ASSERT_NE(event, nullptr) << "the event comes before the answer";
  EXPECT_EQ(event->exit_code, 4);
}

TEST_F(Processes, StopKillsAfterTheGracePeriod) {
  add_script("app", "trap '' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  ASSERT_TRUE(await_output("t1", "ready"));
  ASSERT_TRUE(stop("t1", milliseconds(50)).ok());
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 137);
}

TEST_F(Processes, StopOfWhatDoesNotRunIsDoneAtOnce) {
  add_script("app", "exit 0");
  EXPECT_TRUE(stop("unknown", seconds(10)).ok());
  ASSERT_TRUE(prepare("t1", spec("app")).ok());
  EXPECT_TRUE(stop("t1", seconds(10)).ok());
  ASSERT_TRUE(start("t1").ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_TRUE(stop("t1", seconds(10)).ok());
}

TEST_F(Processes, RemoveWantsThemEnded) {
  add_script("app", "exec sleep 1000");
  EXPECT_TRUE(remove("unknown").ok());
  ASSERT_TRUE(run("t1", spec("app")).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(remove("t1")));
  ASSERT_TRUE(stop("t1", Duration::zero()).ok());
  EXPECT_TRUE(remove("t1").ok());
  EXPECT_FALSE(std::filesystem::exists(task_folder("t1")));
  EXPECT_TRUE(list().empty());
}

TEST_F(Processes, AreFoundAgainByTheNextExecutor) {
  add_script("app", "exec sleep 1000");
  ASSERT_TRUE(prepare("created", spec("app")).ok());
  ASSERT_TRUE(run("running", spec("app")).ok());
  const auto process = start_record("running")->process;
  restart();
  EXPECT_TRUE(platform::is_alive(process));
  const auto existing = list();
  ASSERT_EQ(existing.size(), 2U);
  EXPECT_EQ(existing[0].labels, labels("created"));
  EXPECT_EQ(existing[0].state, State::created);
  EXPECT_EQ(existing[1].labels, labels("running"));
  EXPECT_EQ(existing[1].state, State::running);
  ASSERT_TRUE(stop("running", seconds(10)).ok());
  EXPECT_EQ(find_event("running", Kind::exited)->exit_code, 143);
  EXPECT_FALSE(platform::is_alive(process));
  EXPECT_TRUE(start("created").ok());
}

TEST_F(Processes, ExitWhileNobodyLooksIsNotLost) {
  add_script("app", "while [ ! -e $SWARM_TASK_ID.go ]; do sleep 0.01; done; exit 9");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  const auto shim = start_record("t1")->shim;
  executor_.reset();
  std::ofstream(folder_.path() / "bundles/app/latest/t1.go") << "";
  ASSERT_TRUE(loop_.until([&] { return !platform::is_alive(shim); }));
  restart();
  const auto existing = list();
  ASSERT_EQ(existing.size(), 1U);
  EXPECT_EQ(existing[0].state, State::exited);
  EXPECT_EQ(existing[0].exit_code, 9);
}

TEST_F(Processes, ExitAfterAdoptionIsAnEvent) {
  add_script("app", "while [ ! -e $SWARM_TASK_ID.go ]; do sleep 0.01; done; exit 9");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  restart();
  ASSERT_EQ(list().size(), 1U);
  std::ofstream(folder_.path() / "bundles/app/latest/t1.go") << "";
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 9);
}

TEST_F(Processes, OfOtherNodesAreNotListed) {
  add_script("app", "exit 0");
  ASSERT_TRUE(prepare("t1", spec("app")).ok());
  bool has_answered = false;
  executor_->list(model::SwarmId("swarm1"), model::NodeId("node2"),
                  [&](Result<std::vector<agent::ExistingTask>> found) {
                    has_answered = true;
                    EXPECT_TRUE(found->empty());
                  });
  EXPECT_TRUE(loop_.until([&] { return has_answered; }));
}

TEST_F(Processes, DoNotOutliveTheirShim) {
  add_script("app", "exec sleep 1000");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  const auto record = start_record("t1");
  ASSERT_TRUE(platform::kill_process(record->shim).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 137);
  EXPECT_EQ(find_event("t1", Kind::exited)->error, "its shim was killed");
  EXPECT_TRUE(loop_.until([&] { return !platform::is_alive(record->process); }));
}

// Daemons of a task: in a session of their own, their parents gone.
constexpr const char* kWithDaemon =
    "(setsid sh -c 'echo daemon $$; exec sleep 1000' &) ; exec sleep 1000";

TEST_F(Processes, NothingOfATaskOutlivesItsShim) {
  add_script("app", kWithDaemon);
  ASSERT_TRUE(run("t1", spec("app")).ok());
  ASSERT_TRUE(await_output("t1", "daemon"));
  const auto daemon = printed_process("t1");
  ASSERT_TRUE(platform::is_alive(daemon));
  ASSERT_TRUE(platform::kill_process(start_record("t1")->shim).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_TRUE(loop_.until([&] { return !platform::is_alive(daemon); }));
}

TEST_F(Processes, KernelEndsTheProcessWithItsShimWhileNobodyLooks) {
  add_script("app", "exec sleep 1000");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  const auto record = start_record("t1");
  executor_.reset();
  ASSERT_TRUE(platform::kill_process(record->shim).ok());
  EXPECT_TRUE(loop_.until([&] { return !platform::is_alive(record->process); }));
  restart();
}

TEST_F(Processes, NothingOfATaskWhoseShimDiedUnseenOutlivesItsAdoption) {
  add_script("app", kWithDaemon);
  ASSERT_TRUE(run("t1", spec("app")).ok());
  ASSERT_TRUE(await_output("t1", "daemon"));
  const auto daemon = printed_process("t1");
  const auto shim = start_record("t1")->shim;
  executor_.reset();
  ASSERT_TRUE(platform::kill_process(shim).ok());
  ASSERT_TRUE(loop_.until([&] { return !platform::is_alive(shim); }));
  restart();
  const auto existing = list();
  ASSERT_EQ(existing.size(), 1U);
  EXPECT_EQ(existing[0].state, State::exited);
  EXPECT_EQ(existing[0].error, "its shim was killed");
  EXPECT_TRUE(loop_.until([&] { return !platform::is_alive(daemon); }));
}

// Tasks with 32 MiB, on a machine that lets us set that.
class ProcessMemory : public ExecutorTest {
 protected:
  void SetUp() override {
    if (::access("/sys/fs/cgroup/memory/cgroup.procs", W_OK) != 0 &&
        ::access("/sys/fs/cgroup/cgroup.subtree_control", W_OK) != 0) {
      GTEST_SKIP() << "no control groups that we may write";
    }
  }
  // A line of shell that ends for want of memory.
  static constexpr const char* kEat = "head -c 500m /dev/zero | tail";

  agent::ExecutorEvent end_of(const std::string& script) {
    add_script("app", script);
    model::TaskTemplate limited = spec("app");
    limited.resources.edit().limits.memory_bytes = 32 << 20;
    EXPECT_TRUE(run("t1", limited).ok());
    EXPECT_TRUE(await_event("t1", Kind::exited));
    const auto* const event = find_event("t1", Kind::exited);
    return event == nullptr ? agent::ExecutorEvent() : *event;
  }
};

TEST_F(ProcessMemory, IsBlamedWhenTheProcessItselfWasKilledForIt) {
  const auto end = end_of("exec tail < /dev/zero");
  EXPECT_EQ(end.exit_code, 137);
  EXPECT_EQ(end.error, "out of memory: the limit is 32MiB");
}

TEST_F(ProcessMemory, IsNotBlamedWhenOnlyAChildWasKilledForIt) {
  const auto end = end_of(std::string(kEat) + "; exit 3");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.error, "");
}

TEST_F(ProcessMemory, IsNotBlamedForAStopAfterAChildWasKilledForIt) {
  add_script("app",
             std::string("trap '' TERM; ") + kEat + "; echo eaten; while :; do sleep 0.01; done");
  model::TaskTemplate limited = spec("app");
  limited.resources.edit().limits.memory_bytes = 32 << 20;
  ASSERT_TRUE(run("t1", limited).ok());
  ASSERT_TRUE(await_output("t1", "eaten"));
  ASSERT_TRUE(stop("t1", milliseconds(50)).ok());
  EXPECT_EQ(find_event("t1", Kind::exited)->error, "killed by SIGKILL");
}

TEST_F(Processes, FindTheLabelsOfTheirContainerInTheirEnvironment) {
  add_script("app", "env");
  model::TaskTemplate labelled = spec("app");
  labelled.container.labels.edit() = {{"team", "blue"}, {"com.example.tier", "\"a\""}};
  ASSERT_TRUE(run("t1", labelled).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_THAT(output("t1"),
              HasSubstr(R"(SWARM_CONTAINER_LABELS={"com.example.tier":"\"a\"","team":"blue"})"));
}

TEST_F(Processes, WhoseShimDiedUnseenAreEndedAtAdoption) {
  add_script("app", "exec sleep 1000");
  ASSERT_TRUE(run("t1", spec("app")).ok());
  const auto record = start_record("t1");
  executor_.reset();
  ASSERT_TRUE(platform::kill_process(record->shim).ok());
  ASSERT_TRUE(loop_.until([&] { return !platform::is_alive(record->shim); }));
  restart();
  const auto existing = list();
  ASSERT_EQ(existing.size(), 1U);
  EXPECT_EQ(existing[0].state, State::exited);
  EXPECT_EQ(existing[0].exit_code, 137);
  EXPECT_TRUE(loop_.until([&] { return !platform::is_alive(record->process); }));
}

TEST_F(Processes, UnreadableDirectoryDoesNotHideTheOthers) {
  add_script("app", "exit 0");
  ASSERT_TRUE(prepare("t1", spec("app")).ok());
  std::filesystem::create_directories(task_folder("broken"));
  std::ofstream(task_folder("broken") / "task.json") << "{";
  restart();
  EXPECT_EQ(list().size(), 1U);
}

TEST_F(Processes, ListenerMayRemoveTheTaskItHearsOf) {
  add_script("app", "exit 0");
  bool is_removed = false;
  executor_->set_listener([&](const model::TaskId& task, const agent::ExecutorEvent& event) {
    if (event.kind == Kind::exited) {
      executor_->remove(task, [&](const Status& status) { is_removed = status.ok(); });
    }
  });
  ASSERT_TRUE(run("t1", spec("app")).ok());
  EXPECT_TRUE(loop_.until([&] { return is_removed; }));
  EXPECT_TRUE(list().empty());
}

}  // namespace
}  // namespace swarm::runtime
