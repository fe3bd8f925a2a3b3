// The docker runtime against a real engine; run by with_engine.sh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <optional>

#include "platform/process.h"
#include "runtime/docker/docker_executor.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {
namespace {

using testing::HasSubstr;
using Kind = agent::ExecutorEvent::Kind;
using State = agent::ExistingTask::State;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

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

TEST_F(DockerEngine, DescribesItself) {
  std::optional<Result<agent::EngineDescription>> description;
  executor_->describe([&](Result<agent::EngineDescription> got) { description = std::move(got); });
  ASSERT_TRUE(loop_.until([&] { return description.has_value(); }));
  ASSERT_TRUE(description->ok()) << description->status();
  EXPECT_EQ((*description)->runtime, "docker");
  EXPECT_FALSE((*description)->version.empty());
  EXPECT_GT((*description)->resources.memory_bytes, 0);
}

TEST_F(DockerEngine, TaskServesAtTheAddressItIsReportedWith) {
  const auto id = prepare("t1", spec("web:1.0"));
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(id->size(), 64U);
  ASSERT_TRUE(start("t1").ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  const auto& addresses = find_event("t1", Kind::healthy)->addresses;
  ASSERT_EQ(addresses.size(), 1U);
  EXPECT_EQ(addresses[0].target, 80);
  EXPECT_EQ(fetch(addresses[0].address), "web 1.0\n");
}

TEST_F(DockerEngine, TwoVersionsRunSideBySide) {
  ASSERT_TRUE(run("t1", spec("web:1.0")).ok());
  ASSERT_TRUE(run("t2", spec("web:1.1")).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  ASSERT_TRUE(await_event("t2", Kind::healthy));
  EXPECT_EQ(fetch(find_event("t1", Kind::healthy)->addresses[0].address), "web 1.0\n");
  EXPECT_EQ(fetch(find_event("t2", Kind::healthy)->addresses[0].address), "web 1.1\n");
}

TEST_F(DockerEngine, StopIsGracefulAndTellsTheExitFirst) {
  ASSERT_TRUE(run("t1", spec("web:1.0")).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  ASSERT_TRUE(stop("t1", seconds(10)).ok());
  const auto* const event = find_event("t1", Kind::exited);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->exit_code, 0) << "the server ends by itself on SIGTERM";
}

TEST_F(DockerEngine, ExitCodeOfAFailingTaskIsReported) {
  ASSERT_TRUE(run("t1", spec("web:broken")).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 1);
}

TEST_F(DockerEngine, FailingHealthCheckOfTheImageIsReported) {
  ASSERT_TRUE(run("t1", spec("web:unhealthy")).ok());
  ASSERT_TRUE(await_event("t1", Kind::unhealthy));
  EXPECT_EQ(find_event("t1", Kind::healthy), nullptr);
}

TEST_F(DockerEngine, HealthCheckOfTheServiceIsWaitedFor) {
  model::TaskTemplate checked = spec("web:1.0");
  checked.container.health = model::HealthCheck{.test = {"CMD", "/web", "--check"},
                                                .interval = milliseconds(100),
                                                .timeout = seconds(5),
                                                .start_period = {},
                                                .retries = 3};
  ASSERT_TRUE(run("t1", checked).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
}

TEST_F(DockerEngine, MissingImageIsNamedWithWhatThePullSaid) {
  const auto result = prepare("t1", spec("127.0.0.1:1/web:9"));
  EXPECT_TRUE(absl::IsNotFound(result.status())) << result.status();
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("no such image: 127.0.0.1:1/web:9 on this node, and it could not be "
                        "pulled: "));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("connection refused"));
}

TEST_F(DockerEngine, BadCommandIsARefusal) {
  model::TaskTemplate bad = spec("web:1.0");
  bad.container.overrides.edit().entrypoint = {"/no/such/program"};
  ASSERT_TRUE(prepare("t1", bad).ok());
  const Status status = start("t1");
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/program"));
}

TEST_F(DockerEngine, LimitsAndSettingsAreAccepted) {
  model::TaskTemplate limited = spec("web:1.0");
  limited.resources.edit().limits = {.nano_cpus = 500'000'000, .memory_bytes = 64 << 20};
  limited.resources.edit().pids_limit = 50;
  limited.container.read_only = true;
  limited.container.init = true;
  limited.container.overrides.edit().stop_signal = "SIGINT";
  limited.container.overrides.edit().hostname = "webhost";
  limited.container.mounts.push_back(
      {.type = model::MountType::tmpfs, .source = "", .target = "/scratch"});
  const Status status = run("t1", limited);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(await_event("t1", Kind::healthy));
}

TEST_F(DockerEngine, TasksAreFoundAgainByTheNextExecutor) {
  ASSERT_TRUE(prepare("created", spec("web:1.0")).ok());
  ASSERT_TRUE(run("exited", spec("web:broken")).ok());
  ASSERT_TRUE(run("running", spec("web:1.0")).ok());
  ASSERT_TRUE(await_event("running", Kind::healthy));
  ASSERT_TRUE(await_event("exited", Kind::exited));
  const auto addresses = find_event("running", Kind::healthy)->addresses;
  restart();
  const auto existing = list();
  ASSERT_EQ(existing.size(), 3U);
  for (const auto& task : existing) {
    if (task.labels == labels("created")) {
      EXPECT_EQ(task.state, State::created);
    } else if (task.labels == labels("exited")) {
      EXPECT_EQ(task.state, State::exited);
      EXPECT_EQ(task.exit_code, 1);
    } else {
      EXPECT_EQ(task.labels, labels("running"));
      EXPECT_EQ(task.state, State::running);
      EXPECT_TRUE(task.is_healthy);
      EXPECT_EQ(task.addresses, addresses);
    }
  }
  EXPECT_TRUE(start("created").ok());
  EXPECT_TRUE(await_event("created", Kind::healthy));
  EXPECT_EQ(find_event("running", Kind::healthy), nullptr) << "nothing new";
  ASSERT_TRUE(stop("running", seconds(10)).ok());
  EXPECT_NE(find_event("running", Kind::exited), nullptr);
}

TEST_F(DockerEngine, PrepareAfterAKillInBetweenTakesTheContainerThatIsThere) {
  const auto first = prepare("t1", spec("web:1.0"));
  ASSERT_TRUE(first.ok());
  restart();
  const auto again = prepare("t1", spec("web:1.0"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
  started_.pop_back();
}

TEST_F(DockerEngine, ContainerRemovedByAnotherIsLost) {
  ASSERT_TRUE(run("t1", spec("web:1.0")).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  DockerOptions options;
  options.socket = environment("SWARM_ENGINE_SOCKET");
  EngineClient other(loop_.loop(), options.socket);
  EXPECT_TRUE(
      wait([&](auto done) { other.remove(container_name(labels("t1")), std::move(done)); }).ok());
  EXPECT_TRUE(loop_.until(
      [&] {
        return find_event("t1", Kind::exited) != nullptr || find_event("t1", Kind::lost) != nullptr;
      },
      seconds(60)));
}

TEST_F(DockerEngine, RestartOfTheEngineIsSurvived) {
  ASSERT_TRUE(run("t1", spec("web:1.0")).ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  platform::SpawnRequest request;
  request.command = {environment("SWARM_ENGINE_CONTROL"), "restart"};
  for (const char* const name : {"PATH", "SWARM_ENGINE_DIR", "SWARM_ENGINE_BRIDGE"}) {
    request.environment.push_back(std::string(name) + "=" + environment(name));
  }
  bool is_back = false;
  platform::ProcessEvents events;
  events.on_exit = [&](platform::ExitStatus status) { is_back = status.code == 0; };
  const auto control = platform::spawn_process(loop_.loop(), request, std::move(events));
  ASSERT_TRUE(control.ok()) << control.status();
  ASSERT_TRUE(loop_.until([&] { return is_back; }, seconds(60)));
  ASSERT_TRUE(await_event("t1", Kind::exited)) << "an engine takes its containers down with it";
  ASSERT_TRUE(run("t2", spec("web:1.1")).ok());
  EXPECT_TRUE(await_event("t2", Kind::healthy)) << "events flow again";
  EXPECT_TRUE(loop_.until([&] { return find_event("t2", Kind::healthy) != nullptr; }));
}

TEST_F(DockerEngine, StoppedEngineIsUnavailable) {
  EngineClient nobody(loop_.loop(), "/no/such/docker.sock");
  const Status status = wait([&](auto done) { nobody.ping(std::move(done)); });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/docker.sock"));
}

}  // namespace
}  // namespace swarm::runtime
