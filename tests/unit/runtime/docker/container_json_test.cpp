#include "runtime/docker/container_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_engine.h"

namespace swarm::runtime {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using Status = ContainerState::Status;
using Health = ContainerState::Health;

agent::TaskLabels labels() {
  agent::TaskLabels labels;
  labels.swarm = model::SwarmId("s1");
  labels.node = model::NodeId("n1");
  labels.task = model::TaskId("t1");
  labels.service = model::ServiceId("v1");
  labels.service_name = "web";
  labels.slot = 3;
  labels.revision = 12;
  return labels;
}

model::TaskTemplate spec() {
  model::TaskTemplate spec;
  spec.container.image = "web:1.0";
  spec.ports = {{.target = 80, .published = 8080},
                {.target = 53, .published = 53, .protocol = model::PortProtocol::udp},
                {.target = 80, .published = 8081}};
  return spec;
}

json created(const model::TaskTemplate& spec) {
  const auto body = create_body(labels(), spec);
  EXPECT_TRUE(body.ok()) << body.status();
  return json::parse(*body);
}

// A recorded container with the labels that we would have given it.
std::string inspected(const std::string& name) {
  json object = json::parse(recorded(name));
  object["Config"]["Labels"] = created(spec())["Labels"];
  return object.dump();
}

TEST(ContainerNames, SayServiceSlotAndTask) {
  EXPECT_EQ(container_name(labels()), "web.3.t1");
}

TEST(CreateBodies, LeaveToTheImageWhatTheSpecDoesNotSay) {
  const json body = created(spec());
  EXPECT_EQ(body["Image"], "web:1.0");
  for (const char* const absent : {"Cmd", "Entrypoint", "WorkingDir", "User", "Hostname",
                                   "StopSignal", "Healthcheck", "ExposedPorts"}) {
    EXPECT_FALSE(body.contains(absent)) << absent;
  }
  EXPECT_FALSE(body["HostConfig"].contains("PortBindings")) << "the mesh owns published ports";
  EXPECT_FALSE(body["HostConfig"].contains("LogConfig"));
  EXPECT_EQ(body["HostConfig"]["RestartPolicy"]["Name"], "no");
}

TEST(CreateBodies, TakeEverythingTheSpecSays) {
  model::TaskTemplate full = spec();
  full.container.overrides.edit().entrypoint = {"/web"};
  full.container.args = {"-q"};
  full.container.env = {"A=1"};
  full.container.overrides.edit().workdir = "/srv";
  full.container.overrides.edit().user = "1000:1000";
  full.container.overrides.edit().hostname = "h";
  full.container.labels = model::Labels{{"mine", "yes"}, {"com.swarmd.task", "forged"}};
  full.container.mounts = {{model::MountType::bind, "/a", "/b", true},
                           {model::MountType::tmpfs, "", "/tmp", false}};
  full.container.read_only = true;
  full.container.init = true;
  full.container.overrides.edit().stop_signal = "SIGINT";
  full.container.health = model::HealthCheck{.test = {"CMD", "x"},
                                             .interval = seconds(1),
                                             .timeout = microseconds(1),
                                             .start_period = {},
                                             .retries = 2};
  full.resources.edit().limits = {.nano_cpus = 500'000'000, .memory_bytes = 1 << 26};
  full.resources.edit().reservations = {.nano_cpus = 0, .memory_bytes = 1 << 25};
  full.resources.edit().pids_limit = 9;
  const json body = created(full);
  EXPECT_EQ(body["Entrypoint"], json({"/web"}));
  EXPECT_EQ(body["Cmd"], json({"-q"}));
  EXPECT_THAT(body["Env"].get<std::vector<std::string>>(),
              ElementsAre("SWARM_TASK_ID=t1", "SWARM_TASK_SLOT=3", "SWARM_SERVICE_NAME=web",
                          "SWARM_NODE_ID=n1", "A=1"));
  EXPECT_EQ(body["Labels"]["mine"], "yes");
  EXPECT_EQ(body["Labels"]["com.swarmd.task"], "t1") << "ours cannot be forged";
  EXPECT_EQ(body["StopSignal"], "SIGINT");
  EXPECT_EQ(body["Healthcheck"]["Interval"], 1'000'000'000);
  EXPECT_EQ(body["Healthcheck"]["Timeout"], 1'000'000) << "engines refuse less than 1 ms";
  EXPECT_EQ(body["Healthcheck"]["StartPeriod"], 0);
  const json& host = body["HostConfig"];
  EXPECT_EQ(host["Memory"], 1 << 26);
  EXPECT_EQ(host["MemoryReservation"], 1 << 25);
  EXPECT_EQ(host["NanoCpus"], 500'000'000);
  EXPECT_EQ(host["PidsLimit"], 9);
  EXPECT_EQ(host["ReadonlyRootfs"], true);
  EXPECT_EQ(host["Init"], true);
  EXPECT_EQ(host["Mounts"][0],
            json({{"Type", "bind"}, {"Source", "/a"}, {"Target", "/b"}, {"ReadOnly", true}}));
  EXPECT_FALSE(host["Mounts"][1].contains("Source"));
}

TEST(CreateBodies, RefuseChecksThatDockerDoesNotKnow) {
  model::TaskTemplate http = spec();
  http.container.health = model::HealthCheck{.test = {"HTTP", "/health"}};
  EXPECT_TRUE(absl::IsFailedPrecondition(create_body(labels(), http).status()));
}

TEST(CreateBodies, HoldAnyBytes) {
  model::TaskTemplate raw = spec();
  raw.container.env = {"RAW=\xff"};
  EXPECT_TRUE(create_body(labels(), raw).ok());
}

TEST(Containers, LabelsAndPortsSurviveTheEngine) {
  const auto container = parse_container(inspected("inspect_running_healthy.json"));
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->labels, labels());
  EXPECT_THAT(container->addresses(), ElementsAre(agent::TaskAddress{53, "172.17.0.2:53"},
                                                  agent::TaskAddress{80, "172.17.0.2:80"}));
  EXPECT_THAT(container->tcp_addresses(), ElementsAre(agent::TaskAddress{80, "172.17.0.2:80"}));
}

TEST(Containers, OfOthersAreNotOurs) {
  EXPECT_FALSE(parse_container(recorded("inspect_running_healthy.json"))->labels.has_value());
}

TEST(Containers, AreReadInEveryState) {
  const auto created_one = parse_container(inspected("inspect_created.json"));
  EXPECT_EQ(created_one->status, Status::created);
  EXPECT_EQ(created_one->health, Health::none);
  const auto running = parse_container(inspected("inspect_running_healthy.json"));
  EXPECT_EQ(running->status, Status::running);
  EXPECT_EQ(running->health, Health::healthy);
  const auto ill = parse_container(inspected("inspect_unhealthy.json"));
  EXPECT_EQ(ill->status, Status::running);
  EXPECT_EQ(ill->health, Health::unhealthy);
  const auto exited = parse_container(inspected("inspect_exited_130.json"));
  EXPECT_EQ(exited->status, Status::exited);
  EXPECT_EQ(exited->exit_code, 130);
  EXPECT_EQ(exited->error, "");
  const auto oom = parse_container(inspected("inspect_oom.json"));
  EXPECT_EQ(oom->exit_code, 137);
  EXPECT_EQ(oom->error, "out of memory");
}

TEST(Containers, OfPodmanAreRead) {
  const auto paused = parse_container(inspected("podman_inspect_running.json"));
  EXPECT_EQ(paused->status, Status::running) << "paused counts as running";
  EXPECT_TRUE(paused->is_paused);
  EXPECT_EQ(paused->address, "10.88.0.37");
}

// A recorded container after a change of its state.
ContainerState with_state(const std::string& name, const json& changes) {
  json object = json::parse(inspected(name));
  object["State"].update(changes);
  return *parse_container(object.dump());
}

TEST(Containers, LackOfMemoryIsBlamedOnTheMainProcessOnlyWhenThatWasKilled) {
  EXPECT_EQ(with_state("inspect_oom.json", {{"ExitCode", 137}}).error, "out of memory");
  for (const int code : {0, 3}) {
    EXPECT_EQ(with_state("inspect_oom.json", {{"ExitCode", code}}).error,
              "one of its processes was killed for lack of memory");
  }
}

TEST(Containers, OneThatTheEngineWouldStartAgainHasEnded) {
  const auto state = with_state("inspect_running_healthy.json", {{"Status", "restarting"}});
  EXPECT_EQ(state.status, Status::exited);
}

TEST(Containers, TellWhatTheLastFailedCheckSaid) {
  const json log = {{{"ExitCode", 1}, {"Output", "first"}},
                    {{"ExitCode", 2}, {"Output", "no database\n\x1b[31m"}}};
  const auto ill =
      with_state("inspect_unhealthy.json", {{"Health", {{"Status", "unhealthy"}, {"Log", log}}}});
  EXPECT_EQ(ill.health_output, "exit code 2: no database\\n\\x1b[31m");
  EXPECT_EQ(describe_failure(1, ""), "exit code 1");
  EXPECT_EQ(describe_failure(-1, "Health check exceeded timeout (1s)"),
            "Health check exceeded timeout (1s)");
}

TEST(Containers, CarryTheirHealthCommand) {
  json object = json::parse(inspected("inspect_running_healthy.json"));
  object["Config"]["Healthcheck"] = {{"Test", {"CMD", "/web", "--check"}},
                                     {"Interval", 60'000'000'000}};
  const auto given = parse_container(object.dump());
  EXPECT_THAT(given->health_command.command, ElementsAre("/web", "--check"));
  EXPECT_EQ(given->health_command.interval, minutes(1));
  EXPECT_EQ(given->health_command.timeout, seconds(30)) << "the engine's default";
  object["Config"]["Healthcheck"]["Test"] = {"CMD-SHELL", "test -f /ready"};
  EXPECT_THAT(parse_container(object.dump())->health_command.command,
              ElementsAre("/bin/sh", "-c", "test -f /ready"));
  object["Config"]["Healthcheck"]["Test"] = {"NONE"};
  EXPECT_TRUE(parse_container(object.dump())->health_command.command.empty());
}

TEST(Containers, NonsenseIsAnError) {
  for (const char* const text : {"", "null", "[]", "{}", R"({"Id": 7, "State": {}})", "{"}) {
    EXPECT_FALSE(parse_container(text).ok()) << text;
  }
  EXPECT_TRUE(parse_container(R"({"Id": "x", "State": {"ExitCode": null}})").ok());
}

}  // namespace
}  // namespace swarm::runtime
