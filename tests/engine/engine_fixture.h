#pragma once

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/process.h"
#include "runtime/docker/docker_executor.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {

using Kind = agent::ExecutorEvent::Kind;
using State = agent::ExistingTask::State;

inline std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Tasks of one executor on a real engine, with the sample images.
class DockerEngine : public testing::Test {
 protected:
  void SetUp() override {
    if (environment("SWARM_ENGINE_SOCKET").empty()) {
      GTEST_SKIP() << "NO DOCKER ENGINE: install docker.io and run as root, under with_engine.sh";
    }
    Random random = Random::from_system();
    swarm_ = random_id(random);
    restart();
  }

  void TearDown() override {
    for (const std::string& id : started_) {
      EXPECT_TRUE(stop(id, Duration::zero()).ok()) << id;
      EXPECT_TRUE(remove(id).ok()) << id;
    }
  }

  // As a new swarmd.
  void restart() {
    executor_.reset();
    events_.clear();
    DockerOptions options;
    options.socket = environment("SWARM_ENGINE_SOCKET");
    executor_ = std::make_unique<DockerExecutor>(loop_.loop(), options);
    executor_->set_listener([this](const model::TaskId& task, const agent::ExecutorEvent& event) {
      events_.emplace_back(task.value(), event);
    });
  }

  agent::TaskLabels labels(const std::string& id) {
    agent::TaskLabels labels;
    labels.swarm = model::SwarmId(swarm_);
    labels.node = model::NodeId("node1");
    labels.task = model::TaskId(id + swarm_);
    labels.service = model::ServiceId("service1");
    labels.service_name = "web";
    labels.slot = 3;
    labels.revision = 2;
    return labels;
  }
  static model::TaskTemplate spec(const std::string& image) {
    model::TaskTemplate spec;
    spec.container.image = image;
    spec.ports.push_back({.target = 80, .published = 8080});
    return spec;
  }

  Result<std::string> prepare(const std::string& id, const model::TaskTemplate& spec) {
    std::optional<Result<std::string>> result;
    executor_->prepare(labels(id), spec, [&](Result<std::string> got) { result = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return result.has_value(); }, seconds(60)));
    if (result && result->ok()) {
      started_.push_back(id);
    }
    return result.value_or(absl::DeadlineExceededError("no answer"));
  }
  Status start(const std::string& id) {
    return wait([&](auto done) { executor_->start(labels(id).task, std::move(done)); });
  }
  Status run(const std::string& id, const model::TaskTemplate& spec) {
    const auto prepared = prepare(id, spec);
    return prepared.ok() ? start(id) : prepared.status();
  }
  Status stop(const std::string& id, Duration grace) {
    return wait([&](auto done) { executor_->stop(labels(id).task, grace, std::move(done)); });
  }
  Status remove(const std::string& id) {
    return wait([&](auto done) { executor_->remove(labels(id).task, std::move(done)); });
  }
  std::vector<agent::ExistingTask> list() {
    std::optional<Result<std::vector<agent::ExistingTask>>> found;
    executor_->list(model::SwarmId(swarm_), model::NodeId("node1"),
                    [&](Result<std::vector<agent::ExistingTask>> got) { found = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return found.has_value(); }, seconds(60)));
    EXPECT_TRUE(found && found->ok());
    return found && found->ok() ? **found : std::vector<agent::ExistingTask>();
  }

  const agent::ExecutorEvent* find_event(const std::string& id, Kind kind) {
    for (const auto& [task, event] : events_) {
      if (task == labels(id).task.value() && event.kind == kind) {
        return &event;
      }
    }
    return nullptr;
  }
  bool await_event(const std::string& id, Kind kind) {
    return loop_.until([&] { return find_event(id, kind) != nullptr; }, seconds(60));
  }

  // The body of GET / from a container.
  static std::string fetch(const std::string& address) {
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket socket(context);
    const size_t colon = address.rfind(':');
    socket.connect({boost::asio::ip::make_address(address.substr(0, colon)),
                    static_cast<uint16_t>(std::stoi(address.substr(colon + 1)))});
    boost::asio::write(socket,
                       boost::asio::buffer(std::string("GET / HTTP/1.0\r\nHost: web\r\n\r\n")));
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  // A task of busybox that runs a line of shell; without ports.
  static model::TaskTemplate shell(const std::string& line) {
    model::TaskTemplate spec;
    spec.container.image = "busybox:test";
    spec.container.args = {"/bin/sh", "-c", line};
    return spec;
  }
  // One that ends with 0 when it is asked to stop, as servers do.
  static model::TaskTemplate server() {
    return shell("trap 'exit 0' TERM; while true; do sleep 0.05; done");
  }

  // Runs a program to its end.
  bool run_program(std::vector<std::string> command) {
    platform::SpawnRequest request;
    request.command = std::move(command);
    for (const char* const name :
         {"PATH", "DOCKER_HOST", "SWARM_ENGINE_DIR", "SWARM_ENGINE_BRIDGE"}) {
      request.environment.push_back(std::string(name) + "=" + environment(name));
    }
    std::optional<platform::ExitStatus> status;
    platform::ProcessEvents events;
    events.on_exit = [&](platform::ExitStatus got) { status = got; };
    const auto process = platform::spawn_process(loop_.loop(), request, std::move(events));
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() && loop_.until([&] { return status.has_value(); }, seconds(60)) &&
           status->code == 0;
  }
  bool restart_engine() { return run_program({environment("SWARM_ENGINE_CONTROL"), "restart"}); }
  // As a person does: `docker <command...> <the container of the task>`.
  bool docker(std::vector<std::string> command, const std::string& id) {
    command.insert(command.begin(), "docker");
    command.push_back(container_name(labels(id)));
    return run_program(std::move(command));
  }
  // What the engine says of the container of a task.
  Result<ContainerState> look(const std::string& id) {
    EngineClient other(loop_.loop(), environment("SWARM_ENGINE_SOCKET"));
    std::optional<Result<ContainerState>> state;
    other.inspect(container_name(labels(id)),
                  [&](Result<ContainerState> got) { state = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return state.has_value(); }, seconds(60)));
    return state.value_or(absl::DeadlineExceededError("no answer"));
  }
  bool await_state(const std::string& id, const std::string& status) {
    return loop_.until(
        [&] {
          const auto state = look(id);
          return state.ok() && state->raw_status == status;
        },
        seconds(60));
  }

  template <class Call>
  Status wait(Call call) {
    std::optional<Status> status;
    call([&](Status got) { status = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return status.has_value(); }, seconds(60)));
    return status.value_or(absl::DeadlineExceededError("no answer"));
  }

  test::WaitingLoop loop_;
  std::string swarm_;
  std::unique_ptr<DockerExecutor> executor_;
  std::vector<std::pair<std::string, agent::ExecutorEvent>> events_;
  std::vector<std::string> started_;
};

}  // namespace swarm::runtime
