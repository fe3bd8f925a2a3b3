// The docker runtime against a real engine; run by with_engine.sh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine_fixture.h"

namespace swarm::runtime {
namespace {

using testing::HasSubstr;

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
  EXPECT_THAT(find_event("t1", Kind::unhealthy)->error, HasSubstr("exit code 1"));
}

TEST_F(DockerEngine, HealthCheckWithALongIntervalDoesNotDelayReadiness) {
  model::TaskTemplate checked = spec("web:1.0");
  checked.container.health = model::HealthCheck{.test = {"CMD", "/web", "--check"},
                                                .interval = hours(1),
                                                .timeout = seconds(5),
                                                .start_period = {},
                                                .retries = 3};
  ASSERT_TRUE(run("t1", checked).ok());
  EXPECT_TRUE(await_event("t1", Kind::healthy)) << "within a minute";
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

TEST_F(DockerEngine, WhatTheEngineRefusesIsRefusedInItsOwnWords) {
  model::TaskTemplate many_cpus = spec("web:1.0");
  many_cpus.resources.edit().limits.nano_cpus = 10'000 * int64_t{1'000'000'000};
  const auto cpus = prepare("t1", many_cpus);
  EXPECT_TRUE(absl::IsFailedPrecondition(cpus.status())) << cpus.status();
  EXPECT_THAT(std::string(cpus.status().message()), HasSubstr("CPUs available"));
  model::TaskTemplate no_source = spec("web:1.0");
  no_source.container.mounts.push_back(
      {.type = model::MountType::bind, .source = "/nope", .target = "/data"});
  const auto source = prepare("t2", no_source);
  EXPECT_TRUE(absl::IsFailedPrecondition(source.status())) << source.status();
  EXPECT_THAT(std::string(source.status().message()),
              HasSubstr("bind source path does not exist: /nope"));
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
  ASSERT_TRUE(restart_engine());
  ASSERT_TRUE(await_event("t1", Kind::exited)) << "an engine takes its containers down with it";
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 0);
  EXPECT_TRUE(find_event("t1", Kind::exited)->is_external_stop) << "and that is no completion";
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
