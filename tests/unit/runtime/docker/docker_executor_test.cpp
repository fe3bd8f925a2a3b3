#include "runtime/docker/docker_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "docker_fixture.h"

namespace swarm::runtime {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Kind = agent::ExecutorEvent::Kind;
using State = agent::ExistingTask::State;

TEST_F(DockerTasks, PrepareMakesAContainerThatCarriesTheTask) {
  const auto id = prepare();
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(*id, kId);
  const auto& request = engine_.last("POST /containers/create");
  EXPECT_EQ(request.target, "/v1.41/containers/create?name=web.1.t1");
  EXPECT_EQ(json::parse(request.body)["Labels"]["com.swarmd.task"], "t1");
}

TEST_F(DockerTasks, MissingImageIsPulled) {
  engine_.on("POST /containers/create", [this](const FakeEngine::Request&) -> FakeEngine::Reply {
    if (engine_.count("POST /images/create") == 0) {
      return {.status = 404, .body = R"({"message":"No such image: web:9"})"};
    }
    return {.status = 201, .body = json{{"Id", kId}}.dump()};
  });
  engine_.on("POST /images/create", {.status = 200, .body = recorded("pull_progress.ndjson")});
  EXPECT_TRUE(prepare().ok());
  EXPECT_THAT(engine_.last("POST /images/create").target, HasSubstr("?fromImage=web&tag=9"));
}

TEST_F(DockerTasks, ImageThatCannotBePulledIsNamedWithTheReason) {
  engine_.on("POST /containers/create",
             {.status = 404, .body = R"({"message":"No such image: web:9"})"});
  engine_.on("POST /images/create", {.status = 500, .body = R"({"message":"no such host"})"});
  EXPECT_EQ(prepare().status(),
            absl::NotFoundError(
                "no such image: web:9 on this node, and it could not be pulled: no such host"));
  EXPECT_EQ(engine_.count("POST /images/create"), 1U);
}

TEST_F(DockerTasks, PullingCanBeTurnedOff) {
  restart(false);
  engine_.on("POST /containers/create",
             {.status = 404, .body = R"({"message":"No such image: web:9"})"});
  EXPECT_EQ(prepare().status(), absl::NotFoundError("no such image: web:9 on this node"));
  EXPECT_EQ(engine_.count("POST /images/create"), 0U);
}

TEST_F(DockerTasks, BadSpecIsRefusedWithTheEnginesWords) {
  engine_.on("POST /containers/create",
             {.status = 400, .body = R"({"message":"Minimum memory limit allowed is 6MB"})"});
  EXPECT_EQ(prepare().status(),
            absl::FailedPreconditionError("Minimum memory limit allowed is 6MB"));
}

TEST_F(DockerTasks, ContainerOfAnEarlierSwarmdIsTakenUp) {
  container_is("inspect_created.json", false);
  engine_.on("POST /containers/create", {.status = 409, .body = R"({"message":"Conflict."})"});
  const auto id = prepare();
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(*id, kId);
}

TEST_F(DockerTasks, NameTakenByAnotherIsARefusal) {
  engine_.on("POST /containers/create", {.status = 409, .body = R"({"message":"Conflict."})"});
  EXPECT_EQ(prepare().status(), absl::FailedPreconditionError("Conflict."));
}

TEST_F(DockerTasks, HealthyIsToldWhenTheEngineSaysSo) {
  container_is("inspect_running_healthy.json");
  run();
  ASSERT_TRUE(await_events(1));
  EXPECT_EQ(events_[0].kind, Kind::healthy);
  hint();
  hint();
  loop_.idle(milliseconds(50));
  EXPECT_EQ(events_.size(), 1U) << "told once";
}

TEST_F(DockerTasks, TaskWithoutCheckAndPortsIsHealthyOnceStarted) {
  container_is("inspect_running_healthy.json", false);
  run();
  ASSERT_TRUE(await_events(1));
  EXPECT_EQ(events_[0].kind, Kind::healthy);
}

TEST_F(DockerTasks, UnhealthyIsTold) {
  container_is("inspect_unhealthy.json");
  run();
  ASSERT_TRUE(await_events(1));
  EXPECT_EQ(events_[0].kind, Kind::unhealthy);
  EXPECT_EQ(events_[0].error, "exit code 1");
}

TEST_F(DockerTasks, ExitIsToldOnceWithItsCode) {
  container_is("inspect_running_healthy.json");
  run();
  ASSERT_TRUE(await_events(1));
  container_is("inspect_oom.json", false);
  hint();
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::exited);
  EXPECT_EQ(events_[1].exit_code, 137);
  EXPECT_EQ(events_[1].error, "out of memory");
  hint();
  EXPECT_TRUE(stop().ok());
  EXPECT_EQ(engine_.count(on("POST", "/stop")), 0U) << "it has ended already";
  EXPECT_EQ(events_.size(), 2U);
}

TEST_F(DockerTasks, ExitBeforeTheStartIsAnsweredIsToldAfterIt) {
  container_is("inspect_exited_137.json", false);
  ASSERT_TRUE(await_follower());
  ASSERT_TRUE(prepare().ok());
  hint();
  bool is_started = false;
  executor_->start(labels().task, [&](const Status& status) {
    EXPECT_TRUE(status.ok());
    EXPECT_TRUE(events_.empty());
    is_started = true;
  });
  ASSERT_TRUE(await_events(1));
  EXPECT_TRUE(is_started);
}

TEST_F(DockerTasks, StopTellsTheExitBeforeItAnswers) {
  container_is("inspect_running_healthy.json");
  run();
  ASSERT_TRUE(await_events(1));
  container_is("inspect_exited_130.json");
  EXPECT_TRUE(stop().ok());
  ASSERT_EQ(events_.size(), 2U);
  EXPECT_EQ(events_[1].kind, Kind::exited);
  EXPECT_EQ(events_[1].exit_code, 130);
}

TEST_F(DockerTasks, StopOfWhatWasNeverStartedAsksNobody) {
  EXPECT_TRUE(stop().ok());
  ASSERT_TRUE(prepare().ok());
  EXPECT_TRUE(stop().ok());
  EXPECT_EQ(engine_.count(on("POST", "/stop")), 0U);
}

TEST_F(DockerTasks, RemoveForgetsTheTask) {
  EXPECT_TRUE(remove().ok());
  ASSERT_TRUE(prepare().ok());
  EXPECT_TRUE(remove().ok());
  EXPECT_EQ(engine_.last("DELETE /containers/" + std::string(kId)).target,
            "/v1.41/containers/" + std::string(kId) + "?v=1&force=1");
  EXPECT_TRUE(absl::IsNotFound(start()));
}

TEST_F(DockerTasks, ContainerThatVanishesIsLost) {
  container_is("inspect_running_healthy.json");
  run();
  ASSERT_TRUE(await_events(1));
  engine_.on(on("GET", "/json"), {.status = 404, .body = R"({"message":"No such container"})"});
  hint();
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::lost);
}

TEST_F(DockerTasks, ExitDuringALostConnectionIsSeenWhenItIsBack) {
  container_is("inspect_running_healthy.json");
  run();
  ASSERT_TRUE(await_events(1));
  engine_.close();
  loop_.idle(milliseconds(50));
  EXPECT_EQ(events_.size(), 1U) << "silence is not an exit";
  container_is("inspect_exited_137.json");
  engine_.open();
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::exited);
}

TEST_F(DockerTasks, EngineThatIsDownIsUnavailable) {
  ASSERT_TRUE(prepare().ok());
  engine_.close();
  EXPECT_TRUE(absl::IsUnavailable(start()));
  EXPECT_TRUE(absl::IsUnavailable(list().status()));
}

TEST_F(DockerTasks, AreFoundAgain) {
  container_is("inspect_running_healthy.json");
  engine_.on("GET /containers/json", {.status = 200, .body = recorded("list_containers.json")});
  const auto existing = list();
  ASSERT_TRUE(existing.ok()) << existing.status();
  ASSERT_EQ(existing->size(), 1U);
  EXPECT_EQ((*existing)[0].labels, labels());
  EXPECT_EQ((*existing)[0].state, State::running);
  EXPECT_TRUE((*existing)[0].is_healthy);
  EXPECT_THAT(engine_.last("GET /containers/json").target, HasSubstr("com.swarmd.node%3Dn1"));
  container_is("inspect_exited_130.json");
  ASSERT_TRUE(await_follower());
  hint();
  ASSERT_TRUE(await_events(1));
  EXPECT_EQ(events_[0].kind, Kind::exited) << "and healthy was not told again";
}

TEST_F(DockerTasks, KnownOnesAreListedWithoutAnotherLook) {
  ASSERT_TRUE(await_follower());
  container_is("inspect_running_healthy.json");
  engine_.on("GET /containers/json", {.status = 200, .body = recorded("list_containers.json")});
  ASSERT_EQ(list()->size(), 1U);
  loop_.idle(milliseconds(20));
  const size_t looks = engine_.count(on("GET", "/json"));
  const auto again = list();
  ASSERT_EQ(again->size(), 1U);
  EXPECT_TRUE((*again)[0].is_healthy);
  loop_.idle(milliseconds(20));
  EXPECT_EQ(engine_.count(on("GET", "/json")), looks);
}

TEST_F(DockerTasks, SecondContainerOfATaskIsRemoved) {
  const std::string second(64, 'b');
  container_is("inspect_running_healthy.json");
  json twin = recorded_container("inspect_exited_137.json");
  twin["Id"] = second;
  engine_.on("GET /containers/" + second + "/json", {.status = 200, .body = twin.dump()});
  engine_.on("DELETE /containers/" + second, {.status = 204, .body = ""});
  engine_.on("GET /containers/json",
             {.status = 200, .body = json{{{"Id", second}}, {{"Id", kId}}}.dump()});
  const auto existing = list();
  ASSERT_EQ(existing->size(), 1U);
  EXPECT_EQ((*existing)[0].container_id, kId) << "the one that runs is the task";
  EXPECT_TRUE(loop_.until([&] { return engine_.count("DELETE /containers/" + second) == 1; }));
}

TEST_F(DockerTasks, StartThatWasGivenUpIsStoppedAllTheSame) {
  container_is("inspect_created.json", false);
  ASSERT_TRUE(prepare().ok());
  engine_.on(on("POST", "/start"), {.status = 503, .body = R"({"message":"busy"})"});
  EXPECT_TRUE(absl::IsUnavailable(start()));
  EXPECT_TRUE(stop().ok());
  EXPECT_EQ(engine_.count(on("POST", "/stop")), 1U);
  EXPECT_TRUE(events_.empty());
}

TEST_F(DockerTasks, HealthCheckWithALongIntervalDoesNotDelayReadiness) {
  json starting = recorded_container("inspect_running_healthy.json");
  starting["State"]["Health"]["Status"] = "starting";
  starting["Config"]["Healthcheck"] = {{"Test", {"CMD", "/check"}},
                                       {"Interval", 3'600'000'000'000}};
  state_is(starting);
  int32_t exit_code = 1;
  engine_.on(on("POST", "/exec"), {.status = 201, .body = R"({"Id":"e1"})"});
  engine_.on("POST /exec/e1/start", {.status = 200, .body = ""});
  engine_.on("GET /exec/e1/json", [&](const FakeEngine::Request&) -> FakeEngine::Reply {
    return {.status = 200, .body = json{{"ExitCode", exit_code}, {"Running", false}}.dump()};
  });
  run();
  ASSERT_TRUE(await_events(1));
  EXPECT_EQ(events_[0].kind, Kind::waiting);
  EXPECT_EQ(events_[0].error, "health check: exit code 1");
  exit_code = 0;
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::healthy);
}

TEST_F(DockerTasks, ConditionOfTheEngineIsToldWhenItChanges) {
  std::vector<agent::EngineCondition> conditions;
  executor_->set_condition_listener(
      [&](const agent::EngineCondition& now) { conditions.push_back(now); });
  ASSERT_TRUE(await_follower());
  loop_.idle(milliseconds(20));
  EXPECT_TRUE(conditions.empty()) << "it is well until told otherwise";
  engine_.close();
  ASSERT_TRUE(loop_.until([&] { return conditions.size() == 1; }));
  EXPECT_FALSE(conditions[0].is_ok);
  EXPECT_THAT(conditions[0].reason, HasSubstr("does not answer"));
  engine_.open();
  ASSERT_TRUE(loop_.until([&] { return conditions.size() == 2; }));
  EXPECT_EQ(conditions[1], agent::EngineCondition{});
}

TEST_F(DockerTasks, ExitedOneFoundAgainIsNoEvent) {
  container_is("inspect_exited_130.json");
  engine_.on("GET /containers/json", {.status = 200, .body = recorded("list_containers.json")});
  const auto existing = list();
  ASSERT_EQ(existing->size(), 1U);
  EXPECT_EQ((*existing)[0].state, State::exited);
  EXPECT_EQ((*existing)[0].exit_code, 130);
  hint();
  loop_.idle(milliseconds(20));
  EXPECT_TRUE(events_.empty());
}

TEST(EngineSockets, AreFoundWhereDockerLooks) {
  EXPECT_EQ(*engine_socket("", ""), "/var/run/docker.sock");
  EXPECT_EQ(*engine_socket("", "unix:///run/podman.sock"), "/run/podman.sock");
  EXPECT_EQ(*engine_socket("/x.sock", "unix:///run/podman.sock"), "/x.sock");
  EXPECT_TRUE(absl::IsInvalidArgument(engine_socket("", "tcp://10.0.0.1:2375").status()));
}

}  // namespace
}  // namespace swarm::runtime
