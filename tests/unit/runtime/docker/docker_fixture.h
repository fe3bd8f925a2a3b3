#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fake_engine.h"
#include "runtime/docker/docker_executor.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {

using nlohmann::json;
using Kind = agent::ExecutorEvent::Kind;
using State = agent::ExistingTask::State;

inline constexpr const char* kId =
    "ff57560e7fde404c78195c27d75bf05d6dedd4fde926a7e000fcf73843a41ce1";

// One task "t1" of an executor over a scripted engine.
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

  // What the engine says of the container from now on: a recorded answer with our labels.
  void container_is(const std::string& recording, bool has_health = true) {
    json object = recorded_container(recording);
    if (!has_health) {
      object["State"].erase("Health");
    }
    state_is(object);
  }
  json recorded_container(const std::string& recording) const {
    json object = json::parse(recorded(recording));
    object["Id"] = kId;
    object["Config"]["Labels"] = json::parse(*create_body(labels(), spec_))["Labels"];
    return object;
  }
  void state_is(const json& object) {
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
    executor_->prepare(labels(), spec_, [&](Result<std::string> got) { result = std::move(got); });
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

  // A running container without a health check of its own.
  json running() const {
    json object = recorded_container("inspect_running_healthy.json");
    object["State"].erase("Health");
    return object;
  }
  json exited(int32_t exit_code) const {
    json object = running();
    object["State"]["Status"] = "exited";
    object["State"]["ExitCode"] = exit_code;
    return object;
  }

  model::TaskTemplate spec_ = [] {
    model::TaskTemplate spec;
    spec.container.image = "web:9";
    return spec;
  }();
  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  FakeEngine engine_{loop_.loop().context(), socket()};
  std::vector<agent::ExecutorEvent> events_;
  std::unique_ptr<DockerExecutor> executor_;
};

}  // namespace swarm::runtime
