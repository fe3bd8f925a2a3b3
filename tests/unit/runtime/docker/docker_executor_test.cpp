#include "runtime/docker/docker_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "fake_engine.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Kind = agent::ExecutorEvent::Kind;
using State = agent::ExistingTask::State;

constexpr const char* kId = "ff57560e7fde404c78195c27d75bf05d6dedd4fde926a7e000fcf73843a41ce1";

class DockerTasks : public testing::Test {
 protected:
  DockerTasks() {
    engine_.on("POST /containers/create",
               {.status = 201, .body = json{{"Id", kId}, {"Warnings", json::array()}}.dump()});
    engine_.on(on("POST", "/start"), {.status = 204, .body = ""});
    engine_.on(on("POST", "/stop"), {.status = 204, .body = ""});
    engine_.on("DELETE /containers/" + std::string(kId), {.status = 204, .body = ""});
    restart();
  }

  void restart(bool can_pull = true) {
    executor_.reset();
    events_.clear();
    executor_ = std::make_unique<DockerExecutor>(
        loop_.loop(), DockerOptions{.socket = socket(), .can_pull = can_pull});
    executor_->set_listener([this](const model::TaskId& task, const agent::ExecutorEvent& event) {
      EXPECT_EQ(task.value(), "t1");
      events_.push_back(event);
    });
  }

  static std::string on(const std::string& method, const std::string& call) {
    return method + " /containers/" + kId + call;
  }
  std::string socket() const { return (folder_.path() / "engine.sock").string(); }

  static agent::TaskLabels labels() {
    agent::TaskLabels labels;
    labels.swarm = model::SwarmId("s1");
    labels.node = model::NodeId("n1");
    labels.task = model::TaskId("t1");
    labels.service_name = "web";
    labels.slot = 1;
    return labels;
  }
  static model::TaskTemplate spec() {
    model::TaskTemplate spec;
    spec.container.image = "web:9";
    return spec;
  }

  // What the engine says of the container from now on: a recorded answer with our labels.
  void container_is(const std::string& recording, bool has_health = true) {
    json object = json::parse(recorded(recording));
    object["Id"] = kId;
    object["Config"]["Labels"] = json::parse(*create_body(labels(), spec()))["Labels"];
    if (!has_health) {
      object["State"].erase("Health");
    }
    engine_.on(on("GET", "/json"), {.status = 200, .body = object.dump()});
    engine_.on("GET /containers/web.1.t1/json", {.status = 200, .body = object.dump()});
  }
  void hint() { engine_.send_event(json{{"Type", "container"}, {"Actor", {{"ID", kId}}}}.dump()); }
  // The engine's answers to what has been asked so far are in.
  bool await_follower() {
    return loop_.until([&] { return engine_.has_follower(); });
  }

  Result<std::string> prepare() {
    std::optional<Result<std::string>> result;
    executor_->prepare(labels(), spec(), [&](Result<std::string> got) { result = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return result.has_value(); }));
    return result.value_or(absl::DeadlineExceededError("no answer"));
  }
  Status start() {
    return wait([&](auto done) { executor_->start(labels().task, std::move(done)); });
  }
  Status stop() {
    return wait([&](auto done) { executor_->stop(labels().task, seconds(1), std::move(done)); });
  }
  Status remove() {
    return wait([&](auto done) { executor_->remove(labels().task, std::move(done)); });
  }
  void run() {
    ASSERT_TRUE(await_follower());
    ASSERT_TRUE(prepare().ok());
    const Status status = start();
    ASSERT_TRUE(status.ok()) << status;
  }
  template <class Call>
  Status wait(Call call) {
    std::optional<Status> status;
    call([&](Status got) { status = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return status.has_value(); }));
    return status.value_or(absl::DeadlineExceededError("no answer"));
  }
  Result<std::vector<agent::ExistingTask>> list() {
    std::optional<Result<std::vector<agent::ExistingTask>>> found;
    executor_->list(model::SwarmId("s1"), model::NodeId("n1"),
                    [&](Result<std::vector<agent::ExistingTask>> got) { found = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return found.has_value(); }));
    return found.value_or(absl::DeadlineExceededError("no answer"));
  }
  bool await_events(size_t count) {
    return loop_.until([&] { return events_.size() >= count; });
  }

  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  FakeEngine engine_{loop_.loop().context(), socket()};
  std::vector<agent::ExecutorEvent> events_;
  std::unique_ptr<DockerExecutor> executor_;
};

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
  EXPECT_EQ(events_[0].error, "its health check fails");
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
