#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

// From the command line of `service create` to the spec that reaches the server.
namespace swarm::cli {
namespace {

using model::ServiceSpec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Create : public testing::Test {
 protected:
  // Of the service that "service create -d FLAGS" made.
  ServiceSpec spec_of(const std::string& flags) {
    const RunResult result = fixture_.run("service create -d " + flags);
    EXPECT_EQ(result.exit_code, 0) << flags << "\n" << result.err;
    return fixture_.swarm.services.empty() ? ServiceSpec{} : fixture_.swarm.services.back().spec();
  }

  Fixture fixture_;
};

TEST_F(Create, WithoutFlagsSendsTheDefaults) {
  ServiceSpec expected;
  expected.task.container.image = "web:1.0";
  EXPECT_EQ(spec_of("web:1.0"), expected);
}

TEST_F(Create, PrintsTheWholeId) {
  const RunResult result = fixture_.run("service create -d web:1.0");
  EXPECT_EQ(result.out, fixture_.swarm.services.back().service.id.value() + "\n");
}

TEST_F(Create, FlagsAfterTheImageBelongToTheContainer) {
  const ServiceSpec spec = spec_of("--name web web:1.0 cmd --flag --replicas=5 -q -- --env=");
  EXPECT_THAT(spec.task.container.args,
              ElementsAre("cmd", "--flag", "--replicas=5", "-q", "--", "--env="));
  EXPECT_EQ(spec.replicas, 1);
  EXPECT_EQ(spec.name, "web");
}

TEST_F(Create, DoubleDashEndsTheFlagsToo) {
  const ServiceSpec spec = spec_of("--name web -- web:1.0 ls");
  EXPECT_EQ(spec.task.container.image, "web:1.0");
  EXPECT_THAT(spec.task.container.args, ElementsAre("ls"));
}

TEST_F(Create, FillsTheContainer) {
  const model::ContainerSpec container =
      spec_of(
          "-w /srv -u web:web --hostname h --stop-signal SIGINT --stop-grace-period 3s "
          "--read-only --init --entrypoint 'sh -c' --container-label a=b web:1.0")
          .task.container;
  EXPECT_EQ(container.overrides->workdir, "/srv");
  EXPECT_EQ(container.overrides->user, "web:web");
  EXPECT_EQ(container.overrides->hostname, "h");
  EXPECT_EQ(container.overrides->stop_signal, "SIGINT");
  EXPECT_EQ(container.stop_grace_period, seconds(3));
  EXPECT_TRUE(container.read_only);
  EXPECT_TRUE(container.init);
  EXPECT_THAT(container.overrides->entrypoint, ElementsAre("sh", "-c"));
  EXPECT_EQ(*container.labels, (model::Labels{{"a", "b"}}));
}

TEST_F(Create, EnvFlagsOverrideFilesAndCopyFromTheClient) {
  fixture_.files["web.env"] = "A=file\nB=file\n# note\nHOME\n";
  fixture_.variables = {{"HOME", "/root"}, {"LANG", "C"}};
  const ServiceSpec spec =
      spec_of("-e B=flag -e LANG -e UNSET --env C= --env-file web.env web:1.0");
  EXPECT_THAT(spec.task.container.env,
              ElementsAre("A=file", "B=flag", "HOME=/root", "LANG=C", "C="));
}

TEST_F(Create, RepeatedLabelsKeepTheLastValue) {
  EXPECT_EQ(spec_of("-l a=1 --label b --label a=2 web:1.0").labels,
            (model::Labels{{"a", "2"}, {"b", ""}}));
}

TEST_F(Create, FillsResourcesAndPlacement) {
  const model::TaskTemplate task =
      spec_of(
          "--limit-cpu .5 --limit-memory 1g --limit-pids 10 --reserve-cpu 0.25 "
          "--reserve-memory 64m --constraint node.role==worker --constraint "
          "node.labels.zone!=a --placement-pref spread=node.labels.zone "
          "--replicas-max-per-node 2 web:1.0")
          .task;
  EXPECT_EQ(task.resources->limits,
            (model::Resources{.nano_cpus = 500'000'000, .memory_bytes = 1 << 30}));
  EXPECT_EQ(task.resources->reservations,
            (model::Resources{.nano_cpus = 250'000'000, .memory_bytes = 64 << 20}));
  EXPECT_EQ(task.resources->pids_limit, 10);
  EXPECT_THAT(task.placement->constraints, ElementsAre("node.role==worker", "node.labels.zone!=a"));
  EXPECT_THAT(task.placement->preferences, ElementsAre("node.labels.zone"));
  EXPECT_EQ(task.placement->max_replicas_per_node, 2);
}

TEST_F(Create, ReadsPortsInBothForms) {
  using model::PublishedPort;
  const ServiceSpec spec =
      spec_of("-p 8080:80 -p 53/udp --publish mode=host,target=80,published=9090 web:1.0");
  EXPECT_THAT(spec.task.ports,
              ElementsAre(PublishedPort{.target = 80, .published = 8080},
                          PublishedPort{.target = 53, .protocol = model::PortProtocol::udp},
                          PublishedPort{
                              .target = 80, .published = 9090, .mode = model::PublishMode::host}));
}

TEST_F(Create, FillsTheRestartPolicy) {
  const model::RestartPolicy restart =
      *spec_of(
           "--restart-condition on-failure --restart-delay 1s --restart-max-attempts 3 "
           "--restart-window 1m web:1.0")
           .task.restart;
  EXPECT_EQ(restart, (model::RestartPolicy{.condition = model::RestartCondition::on_failure,
                                           .delay = seconds(1),
                                           .max_attempts = 3,
                                           .window = minutes(1)}));
}

TEST_F(Create, FillsBothPoliciesApart) {
  const ServiceSpec spec = spec_of(
      "--update-parallelism 2 --update-delay 1s --update-monitor 2s --update-failure-action "
      "rollback --update-max-failure-ratio 0.25 --update-order stop-first "
      "--update-progress-deadline 1m --drain-timeout 5s --rollback-parallelism 0 "
      "--rollback-failure-action continue web:1.0");
  EXPECT_EQ(spec.update, (model::UpdatePolicy{.parallelism = 2,
                                              .delay = seconds(1),
                                              .monitor = seconds(2),
                                              .failure_action = model::FailureAction::rollback,
                                              .max_failure_ratio = 0.25,
                                              .order = model::UpdateOrder::stop_first,
                                              .progress_deadline = minutes(1)}));
  EXPECT_EQ(spec.rollback, (model::UpdatePolicy{.parallelism = 0,
                                                .failure_action = model::FailureAction::continue_on,
                                                .order = {}}));
  EXPECT_EQ(spec.task.drain_timeout, seconds(5));
}

TEST_F(Create, FillsTheHealthCheck) {
  const auto health = spec_of(
                          "--health-cmd 'curl -f x' --health-interval 1s --health-timeout 2s "
                          "--health-start-period 3s --health-retries 4 web:1.0")
                          .task.container.health;
  ASSERT_TRUE(health.has_value());
  EXPECT_EQ(*health, (model::HealthCheck{.test = {"CMD-SHELL", "curl -f x"},
                                         .interval = seconds(1),
                                         .timeout = seconds(2),
                                         .start_period = seconds(3),
                                         .retries = 4}));
}

TEST_F(Create, NoHealthcheckSwitchesItOff) {
  EXPECT_THAT(spec_of("--no-healthcheck web:1.0").task.container.health->test, ElementsAre("NONE"));
}

TEST_F(Create, HealthCmdNoneIsTheReferencesWordForNoCheck) {
  EXPECT_THAT(spec_of("--health-cmd NONE web:1.0").task.container.health->test,
              ElementsAre("NONE"));
  const RunResult result =
      fixture_.run("service create -d --health-cmd NONE --health-interval 1s web:1.0");
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_THAT(result.err,
              HasSubstr("--health-cmd: cannot be used together with --health-interval"));
}

TEST_F(Create, RefusesAnEmptyValueThatWouldChangeNothing) {
  for (const char* flag : {"--entrypoint", "--health-cmd"}) {
    const RunResult result = fixture_.run(std::string("service create -d ") + flag + " '' web:1.0");
    EXPECT_EQ(result.exit_code, 1) << flag;
    EXPECT_THAT(result.err, HasSubstr("has nothing to clear")) << flag;
  }
  EXPECT_THAT(fixture_.swarm.services, IsEmpty());
}

TEST_F(Create, RefusesAnImageThatLooksLikeAFlag) {
  const RunResult result = fixture_.run("service create --nam web web:1.0");
  EXPECT_EQ(result.exit_code, 125);
  EXPECT_THAT(result.err, HasSubstr("unknown flag: --nam"));
  EXPECT_THAT(fixture_.swarm.services, IsEmpty());
}

TEST_F(Create, TheLastOfARepeatedFlagCounts) {
  EXPECT_EQ(spec_of("--replicas 2 --replicas=3 web:1.0").replicas, 3);
}

}  // namespace
}  // namespace swarm::cli
