#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/command.h"
#include "fixture.h"

namespace swarm::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

// Each flag of `docker service create`, `service update`, `swarm` and `node` that this program has
// not: who knows it from there is told that it is not a slip, and what to do.
TEST(Usage, FlagsOfTheReferenceAreNotUnknown) {
  const std::pair<const char*, std::vector<const char*>> rows[] = {
      {"service create",
       {"--network",
        "--endpoint-mode",
        "--secret",
        "--config",
        "--max-concurrent",
        "--generic-resource",
        "--group",
        "--isolation",
        "--credential-spec",
        "--cap-add",
        "--cap-drop",
        "--sysctl",
        "--ulimit",
        "--oom-score-adj",
        "--tty",
        "-t",
        "--dns",
        "--dns-option",
        "--dns-search",
        "--host-add",
        "--memory-swap",
        "--memory-swappiness",
        "--log-driver",
        "--log-opt",
        "--health-start-interval",
        "--with-registry-auth",
        "--no-resolve-image"}},
      {"service update",
       {"--network-add",
        "--network-rm",
        "--endpoint-mode",
        "--secret-add",
        "--secret-rm",
        "--config-add",
        "--config-rm",
        "--max-concurrent",
        "--generic-resource-add",
        "--generic-resource-rm",
        "--group-add",
        "--group-rm",
        "--isolation",
        "--credential-spec",
        "--cap-add",
        "--cap-drop",
        "--sysctl-add",
        "--sysctl-rm",
        "--ulimit-add",
        "--ulimit-rm",
        "--oom-score-adj",
        "--tty",
        "--dns-add",
        "--dns-rm",
        "--dns-option-add",
        "--dns-option-rm",
        "--dns-search-add",
        "--dns-search-rm",
        "--host-add",
        "--host-rm",
        "--memory-swap",
        "--memory-swappiness",
        "--log-driver",
        "--log-opt",
        "--health-start-interval",
        "--with-registry-auth",
        "--no-resolve-image"}},
      {"swarm init",
       {"--data-path-addr", "--data-path-port", "--default-addr-pool",
        "--default-addr-pool-mask-length", "--autolock", "--dispatcher-heartbeat", "--external-ca",
        "--max-snapshots", "--snapshot-interval", "--task-history-limit"}},
      {"swarm join", {"--data-path-addr"}},
  };
  for (const auto& [command, flags] : rows) {
    for (const char* flag : flags) {
      for (const std::string& line : {std::string(command) + " " + flag + " x web",
                                      std::string(command) + " " + flag + "=x"}) {
        const RunResult result = Fixture().run(line);
        EXPECT_EQ(result.exit_code, 125) << line;
        EXPECT_THAT(result.err, StartsWith(std::string(flag) + " is not supported yet: ")) << line;
      }
    }
  }
}

TEST(Usage, CommandsOfTheReferenceAreNotUnknown) {
  for (const char* command : {"stack", "secret", "config", "network", "service logs",
                              "swarm update", "swarm ca", "swarm unlock", "swarm unlock-key"}) {
    const RunResult result = Fixture().run(std::string(command) + " ls");
    EXPECT_EQ(result.exit_code, 125) << command;
    EXPECT_THAT(result.err, StartsWith(std::string(command) + " is not supported yet: "))
        << command;
  }
}

TEST(Usage, ASlipGetsASuggestion) {
  const std::pair<const char*, const char*> rows[] = {
      {"service create --replica 3 web:1.0", "unknown flag: --replica (did you mean --replicas?)"},
      {"service create --pubilsh 80 web:1.0", "unknown flag: --pubilsh (did you mean --publish?)"},
      {"service create --env-add A=1 web:1.0", "unknown flag: --env-add (did you mean --env?)"},
      {"service update --env A=1 web", "unknown flag: --env (did you mean --env-add?)"},
      {"service update --constraint a==b web", "(did you mean --constraint-add?)"},
      {"service ls --fromat json", "unknown flag: --fromat (did you mean --format?)"},
      {"servcie ls", "unknown command: servcie (did you mean service?)"},
      {"service lst", "unknown command: service lst (did you mean ls?)"},
      {"service updaet", "unknown command: service updaet (did you mean update?)"},
      {"--hots x service ls", "unknown flag: --hots (did you mean --host?)"},
  };
  for (const auto& [line, message] : rows) {
    const RunResult result = Fixture().run(line);
    EXPECT_EQ(result.exit_code, 125) << line;
    EXPECT_THAT(result.err, HasSubstr(message)) << line;
  }
  for (const char* line : {"service create --bogus web:1.0", "bogus", "service bogus"}) {
    EXPECT_THAT(Fixture().run(line).err, Not(HasSubstr("did you mean"))) << line;
  }
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

TEST(Swarm, ForceNewClusterTakesNoSettingsThatItWouldIgnore) {
  for (const char* flag : {"--availability drain", "--cert-expiry 48h"}) {
    for (const std::string& line :
         {"--force-new-cluster " + std::string(flag), std::string(flag) + " --force-new-cluster"}) {
      Fixture fixture;
      const RunResult result = fixture.run("swarm init " + line);
      EXPECT_EQ(result.exit_code, 125) << line;
      EXPECT_THAT(result.err, HasSubstr("--force-new-cluster: cannot be used together with --"));
      EXPECT_FALSE(fixture.swarm.init_options.force_new_cluster);
    }
  }
}

TEST(Swarm, JoinPassesItsAvailability) {
  Fixture fixture;
  fixture.run("swarm join --token t --availability drain manager-1");
  EXPECT_EQ(fixture.swarm.join_options.availability, model::Availability::drain);
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
  fill_with_sample(fixture.swarm);
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
