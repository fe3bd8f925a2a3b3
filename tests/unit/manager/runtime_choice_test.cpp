#include "manager/runtime_choice.h"

#include <gmock/gmock.h>

#include <map>

namespace swarm::manager {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::function<EngineAnswer(const std::string&)> engines(
    std::map<std::string, EngineAnswer> answers) {
  return [answers = std::move(answers)](const std::string& socket) {
    const auto found = answers.find(socket);
    return found == answers.end() ? EngineAnswer::absent : found->second;
  };
}

TEST(EngineSockets, WhatIsNamedIsTheOnlyOne) {
  EXPECT_THAT(*engine_sockets("/x.sock", "unix:///y.sock", "/run/user/1"), ElementsAre("/x.sock"));
  EXPECT_THAT(*engine_sockets("unix:///x.sock", "", ""), ElementsAre("/x.sock"));
  EXPECT_THAT(*engine_sockets("unix:/x.sock", "", ""), ElementsAre("/x.sock"));
  EXPECT_THAT(*engine_sockets("", "unix:///y.sock", ""), ElementsAre("/y.sock"));
}

TEST(EngineSockets, OtherwiseDockerComesBeforePodman) {
  EXPECT_THAT(*engine_sockets("", "", ""),
              ElementsAre("/var/run/docker.sock", "/run/podman/podman.sock"));
  EXPECT_THAT(*engine_sockets("", "", "/run/user/1000"),
              ElementsAre("/var/run/docker.sock", "/run/podman/podman.sock",
                          "/run/user/1000/podman/podman.sock"));
}

TEST(EngineSockets, WhatIsNoUnixSocketIsRefusedByName) {
  for (const char* const address : {"tcp://10.0.0.1:2375", "docker.sock", "ssh://host"}) {
    const auto option = engine_sockets(address, "", "");
    EXPECT_TRUE(absl::IsInvalidArgument(option.status())) << address;
    EXPECT_THAT(std::string(option.status().message()), HasSubstr("--docker-socket is"));
    EXPECT_THAT(std::string(engine_sockets("", address, "").status().message()),
                HasSubstr("DOCKER_HOST is"));
  }
}

TEST(RuntimeChoice, AutoTakesTheFirstEngineThatAnswers) {
  const RuntimeChoice choice =
      choose_runtime("auto", {"/a", "/b", "/c"},
                     engines({{"/a", EngineAnswer::silent}, {"/c", EngineAnswer::answers}}));
  EXPECT_EQ(choice, (RuntimeChoice{"docker", "/c", "an engine answers on /c"}));
}

TEST(RuntimeChoice, AnEngineThatIsThereButSilentIsStillAnEngine) {
  const RuntimeChoice choice =
      choose_runtime("auto", {"/a", "/b"}, engines({{"/b", EngineAnswer::silent}}));
  EXPECT_EQ(choice.runtime, "docker");
  EXPECT_EQ(choice.engine, "/b");
}

TEST(RuntimeChoice, WithoutAnEngineAutoRunsProcessesAndSaysWhereItLooked) {
  EXPECT_EQ(choose_runtime("auto", {"/a", "/b"}, engines({})),
            (RuntimeChoice{"process", "", "no engine answers on /a, /b"}));
}

TEST(RuntimeChoice, WhatIsAskedForIsNotSecondGuessed) {
  EXPECT_EQ(choose_runtime("process", {"/a"}, engines({{"/a", EngineAnswer::answers}})).runtime,
            "process");
  const RuntimeChoice docker = choose_runtime("docker", {"/a", "/b"}, engines({}));
  EXPECT_EQ(docker.runtime, "docker");
  EXPECT_EQ(docker.engine, "/a");
}

TEST(RuntimeChoice, AnotherRuntimeThanTheDecidedOneIsRefusedWithTheCure) {
  EXPECT_TRUE(check_runtime("auto", "docker").ok());
  EXPECT_TRUE(check_runtime("docker", "docker").ok());
  const Status refused = check_runtime("process", "docker");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("leave the swarm and enter it again"));
}

}  // namespace
}  // namespace swarm::manager
