#include "platform/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "platform/process.h"
#include "support/waiting_loop.h"

// On made-up trees of control files: what a machine offers differs, what is written where does not.
namespace swarm::platform {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Cgroups : public testing::Test {
 protected:
  void make_file(const std::string& path) {
    std::filesystem::create_directories((root() / path).parent_path());
    std::ofstream(root() / path) << "";
  }
  std::string contents(const std::string& path) {
    std::ifstream file(root() / path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::filesystem::path root() { return folder_.path(); }
  CgroupPaths paths() { return {.root = root().string(), .parent = "swarmd"}; }

  test::ScratchDirectory folder_;
};

TEST_F(Cgroups, VersionOneLimitsAreWrittenPerController) {
  for (const char* const file :
       {"memory/swarmd/t1/memory.limit_in_bytes", "cpu/swarmd/t1/cpu.cfs_period_us",
        "cpu/swarmd/t1/cpu.cfs_quota_us", "pids/swarmd/t1/pids.max"}) {
    make_file(file);
  }
  const Cgroup group("t1", {.memory_bytes = 1 << 26, .nano_cpus = 500'000'000, .pids = 20},
                     paths());
  EXPECT_THAT(group.warnings(), IsEmpty());
  EXPECT_EQ(contents("memory/swarmd/t1/memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(contents("cpu/swarmd/t1/cpu.cfs_period_us"), "100000");
  EXPECT_EQ(contents("cpu/swarmd/t1/cpu.cfs_quota_us"), "50000");
  EXPECT_EQ(contents("pids/swarmd/t1/pids.max"), "20");
}

TEST_F(Cgroups, VersionTwoLimitsAreWrittenInOneGroup) {
  for (const char* const file :
       {"cgroup.controllers", "cgroup.subtree_control", "swarmd/cgroup.subtree_control",
        "swarmd/t1/memory.max", "swarmd/t1/cpu.max", "swarmd/t1/pids.max"}) {
    make_file(file);
  }
  const Cgroup group("t1", {.memory_bytes = 1 << 26, .nano_cpus = 2'000'000'000, .pids = 20},
                     paths());
  EXPECT_THAT(group.warnings(), IsEmpty());
  EXPECT_EQ(contents("swarmd/t1/memory.max"), "67108864");
  EXPECT_EQ(contents("swarmd/t1/cpu.max"), "200000 100000");
  EXPECT_EQ(contents("swarmd/t1/pids.max"), "20");
}

TEST_F(Cgroups, LimitThatCannotBeSetIsNamed) {
  make_file("memory/swarmd/t1/memory.limit_in_bytes");
  const Cgroup group("t1", {.memory_bytes = 1 << 26, .nano_cpus = 0, .pids = 20}, paths());
  EXPECT_THAT(group.warnings(), ElementsAre(HasSubstr("pids limit not applied")));
}

TEST_F(Cgroups, NothingIsMadeWithoutLimits) {
  const Cgroup group("t1", {}, paths());
  EXPECT_TRUE(std::filesystem::is_empty(root()));
  EXPECT_FALSE(group.had_out_of_memory());
}

TEST_F(Cgroups, GroupIsMadeWithoutLimitsWhereAMachineAllowsIt) {
  make_file("freezer/tasks");
  const Cgroup group("t1", {}, paths());
  EXPECT_THAT(group.warnings(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_directory(root() / "freezer/swarmd/t1"));
  Cgroup::discard("t1", paths());
  EXPECT_FALSE(std::filesystem::exists(root() / "freezer/swarmd/t1"));
}

TEST_F(Cgroups, VersionTwoKillsAGroupInOneStep) {
  for (const char* const file :
       {"cgroup.controllers", "swarmd/t1/cgroup.procs", "swarmd/t1/cgroup.kill"}) {
    make_file(file);
  }
  EXPECT_TRUE(Cgroup::kill("t1", paths()));
  EXPECT_EQ(contents("swarmd/t1/cgroup.kill"), "1");
  EXPECT_FALSE(Cgroup::kill("t2", paths())) << "there is no such group";
}

TEST_F(Cgroups, VersionOneKillsEachMemberOfAFrozenGroup) {
  make_file("freezer/swarmd/t1/freezer.state");
  SpawnRequest request;
  request.command = {"/bin/sleep", "1000"};
  test::WaitingLoop loop;
  std::optional<ExitStatus> exit;
  ProcessEvents events;
  events.on_exit = [&](ExitStatus status) { exit = status; };
  const auto process = spawn_process(loop.loop(), request, std::move(events));
  ASSERT_TRUE(process.ok());
  std::ofstream(root() / "freezer/swarmd/t1/cgroup.procs") << (*process)->id().pid << "\n";
  EXPECT_TRUE(Cgroup::kill("t1", paths()));
  EXPECT_TRUE(loop.until([&] { return exit.has_value(); }));
  EXPECT_EQ(exit->signal, 9);
  EXPECT_EQ(contents("freezer/swarmd/t1/freezer.state"), "THAWED");
}

TEST_F(Cgroups, KillsForWantOfMemoryAreSeen) {
  make_file("memory/swarmd/t1/memory.limit_in_bytes");
  make_file("memory/swarmd/t1/memory.oom_control");
  const Cgroup group("t1", {.memory_bytes = 1 << 26, .nano_cpus = 0, .pids = 0}, paths());
  std::ofstream(root() / "memory/swarmd/t1/memory.oom_control")
      << "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n";
  EXPECT_FALSE(group.had_out_of_memory());
  std::ofstream(root() / "memory/swarmd/t1/memory.oom_control")
      << "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n";
  EXPECT_TRUE(group.had_out_of_memory());
}

}  // namespace
}  // namespace swarm::platform
