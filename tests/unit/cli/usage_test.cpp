#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/command.h"
#include "fixture.h"

namespace swarm::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string path_of(const CommandGroup& group, const Command& command) {
  return group.name.empty() ? std::string(command.name)
                            : std::string(group.name) + " " + std::string(command.name);
}

TEST(Help, EveryCommandHasUsageAndAnExampleOfItself) {
  Fixture fixture;
  for (const CommandGroup& group : command_groups()) {
    for (const Command& command : group.commands) {
      const std::string path = path_of(group, command);
      const RunResult result = fixture.run(path + " --help");
      EXPECT_EQ(result.exit_code, 0) << path;
      EXPECT_THAT(result.out, HasSubstr("Usage:  swarmctl " + path + " ")) << path;
      EXPECT_THAT(result.out.substr(result.out.find("Examples:")), HasSubstr("swarmctl " + path));
    }
  }
}

TEST(Help, ExamplesAreUnderstood) {
  for (const CommandGroup& group : command_groups()) {
    for (const Command& command : group.commands) {
      const std::string text(command.examples);
      for (size_t from = 0; from < text.size();) {
        const size_t end = std::min(text.find('\n', from), text.size());
        std::string line = text.substr(from, end - from);
        from = end + 1;
        if (!line.starts_with("swarmctl ")) {
          continue;  // a shell's use of it
        }
        Fixture fixture;
        fixture.swarm.failure = absl::NotFoundError("nothing here");
        EXPECT_NE(fixture.run(line.substr(9)).exit_code, 125) << line;
      }
    }
  }
}

TEST(Help, NamesAndAliasesAreUniqueInAGroup) {
  for (const CommandGroup& group : command_groups()) {
    std::set<std::string_view> seen;
    for (const Command& command : group.commands) {
      EXPECT_TRUE(seen.insert(command.name).second) << command.name;
      EXPECT_TRUE(command.alias.empty() || seen.insert(command.alias).second) << command.alias;
    }
  }
}

TEST(GlobalFlags, HostComesFromFlagThenVariableThenDefault) {
  Fixture fixture;
  fixture.run("service ls");
  EXPECT_EQ(fixture.endpoint, "unix:/run/swarmd/swarmd.sock");
  fixture.variables["SWARM_HOST"] = "unix:/a";
  fixture.run("service ls");
  EXPECT_EQ(fixture.endpoint, "unix:/a");
  fixture.run("--host unix:/b service ls");
  EXPECT_EQ(fixture.endpoint, "unix:/b");
  fixture.run("--host unix:/b service ls --host=unix:/c");
  EXPECT_EQ(fixture.endpoint, "unix:/c");
}

TEST(GlobalFlags, TimeoutBoundsARequest) {
  Fixture fixture;
  fixture.run("service ls");
  EXPECT_EQ(fixture.deadline, seconds(30));
  fixture.run("--timeout 2s service ls");
  EXPECT_EQ(fixture.deadline, seconds(2));
  fixture.run("service ls --timeout 10m");
  EXPECT_EQ(fixture.deadline, seconds(30));
}

TEST(Aliases, RunTheSameCommand) {
  Fixture fixture;
  EXPECT_EQ(fixture.run("service list").out, fixture.run("service ls").out);
  EXPECT_EQ(fixture.run("node list").out, fixture.run("node ls").out);
}

TEST(Usage, AServiceMayBeNamedLikeACommand) {
  Fixture fixture;
  fixture.run("service create -d --name ls web:1.0");
  const RunResult result = fixture.run("service rm ls");
  EXPECT_EQ(result.out, "ls\n");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Usage, DataGoesToStdoutAndErrorsToStderr) {
  Fixture fixture;
  const RunResult result = fixture.run("service rm missing");
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "Error: no such service: missing\n");
}

TEST(Swarm, InitAndJoinPassTheirAddresses) {
  Fixture fixture;
  fixture.run("swarm init --listen-addr 127.0.0.1 --advertise-addr 127.0.0.1 --availability drain");
  EXPECT_EQ(fixture.swarm.init_options.listen_address, "127.0.0.1");
  EXPECT_EQ(fixture.swarm.init_options.advertise_address, "127.0.0.1");
  EXPECT_EQ(fixture.swarm.init_options.availability, model::Availability::drain);
  fixture.run("swarm join --token t --listen-addr 127.0.0.2 manager-1");
  EXPECT_EQ(fixture.swarm.join_options.manager_address, "manager-1");
  EXPECT_EQ(fixture.swarm.join_options.listen_address, "127.0.0.2");
}

// What is an address and what a port is decided in one place, by the daemon.
TEST(Swarm, JoinPassesTheAddressAsItWasTyped) {
  Fixture fixture;
  for (const char* const address : {"10.0.0.1", "10.0.0.1:9", "::1", "[::1]:9", "::1:2377"}) {
    fixture.run(std::string("swarm join --token t ") + address);
    EXPECT_EQ(fixture.swarm.join_options.manager_address, address);
  }
}

TEST(Swarm, AnAddressOfAnotherMachineIsAdvertisedByForce) {
  Fixture fixture;
  fixture.run("swarm init --force --advertise-addr 192.0.2.1");
  EXPECT_TRUE(fixture.swarm.init_options.force);
  fixture.run("swarm join --force --token t 10.0.0.1");
  EXPECT_TRUE(fixture.swarm.join_options.force);
}

TEST(Node, APromotionThatIsRefusedSaysWhy) {
  Fixture fixture;
  fixture.swarm.promotion_refusal = "the leader cannot reach this manager at 10.9.9.9:2377";
  const RunResult result = fixture.run("node promote node-10");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::HasSubstr("node node-10 was not promoted: the leader cannot "
                                             "reach this manager at 10.9.9.9:2377"));
  EXPECT_EQ(result.out, "");
}

TEST(Version, WithoutServerShowsTheClientAndFails) {
  Fixture fixture;
  fixture.swarm.failure = absl::UnavailableError("start swarmd");
  const RunResult result = fixture.run("version");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("Version:  0.1.0"));
  EXPECT_THAT(result.out, Not(HasSubstr("Server")));
  EXPECT_EQ(result.err, "Error: start swarmd\n");
}

}  // namespace
}  // namespace swarm::cli
