#include <gtest/gtest.h>

#include "model/validate.h"
#include "unit/model/verdict.h"

namespace swarm::model {
namespace {

TaskTemplate good_template() {
  TaskTemplate task;
  task.container.image = "web:1.0";
  return task;
}

struct Row {
  void (*change)(TaskTemplate&);
  std::initializer_list<std::string> words;  // none: accepted
};

void expect_verdicts(std::initializer_list<Row> rows) {
  int number = 0;
  for (const Row& row : rows) {
    TaskTemplate task = good_template();
    row.change(task);
    const Status status = validate_template(task);
    if (row.words.size() == 0) {
      EXPECT_TRUE(status.ok()) << "row " << number << ": " << status;
    } else {
      EXPECT_TRUE(is_refused(status, row.words)) << "row " << number;
    }
    ++number;
  }
}

TEST(ValidateTemplate, TakesResourcesFromTheirMinimum) {
  expect_verdicts({
      {[](TaskTemplate& t) { t.resources.edit().reservations.nano_cpus = 1'000'000; }, {}},
      {[](TaskTemplate& t) { t.resources.edit().limits.memory_bytes = 6 << 20; }, {}},
      {[](TaskTemplate& t) { t.resources.edit().reservations.nano_cpus = 999'999; },
       {"reservation of CPUs", "at least 0.001"}},
      {[](TaskTemplate& t) { t.resources.edit().limits.nano_cpus = -1; }, {"limit of CPUs"}},
      {[](TaskTemplate& t) { t.resources.edit().limits.nano_cpus = 9'999'999; },
       {"limit of CPUs", "at least 0.01"}},
      {[](TaskTemplate& t) { t.resources.edit().limits.nano_cpus = 10'000'000; }, {}},
      {[](TaskTemplate& t) { t.resources.edit().limits.nano_cpus = INT64_MAX; }, {"limit of CPUs"}},
      {[](TaskTemplate& t) { t.resources.edit().limits.memory_bytes = (6 << 20) - 1; },
       {"limit of memory \"6291455 bytes\"", "at least 6MiB"}},
      {[](TaskTemplate& t) { t.resources.edit().reservations.memory_bytes = -1; },
       {"reservation of memory"}},
      {[](TaskTemplate& t) { t.resources.edit().pids_limit = -1; }, {"limit of processes"}},
      {[](TaskTemplate& t) {
         t.resources.edit().limits.memory_bytes = 16 << 20;
         t.resources.edit().reservations.memory_bytes = 32 << 20;
       },
       {"reservation of memory \"33554432 bytes\" is more than the limit"}},
  });
}

TEST(ValidateTemplate, ChecksEnvironmentVariables) {
  expect_verdicts({
      {[](TaskTemplate& t) { t.container.env = {"A=", "B=x=y", "a=1"}; }, {}},
      {[](TaskTemplate& t) { t.container.env = {"A"}; }, {"\"A\" has no name", "NAME=VALUE"}},
      {[](TaskTemplate& t) { t.container.env = {"=x"}; }, {"has no name"}},
      {[](TaskTemplate& t) { t.container.env = {"A=1", "A=2"}; }, {"\"A\" is set twice"}},
      {[](TaskTemplate& t) { t.container.env.assign(1001, "x"); }, {"1001 items"}},
  });
}

TEST(ValidateTemplate, ChecksTextOfTheContainer) {
  expect_verdicts({
      {[](TaskTemplate& t) { t.container.args = {std::string("a\0b", 3)}; }, {"argument", "NUL"}},
      {[](TaskTemplate& t) { t.container.overrides.edit().entrypoint = {"\xff"}; },
       {"entrypoint", "UTF-8"}},
      {[](TaskTemplate& t) { t.container.overrides.edit().workdir = std::string(70'000, 'x'); },
       {"working directory", "at most 65536"}},
      {[](TaskTemplate& t) { t.container.overrides.edit().user = "\xff"; }, {"user"}},
      {[](TaskTemplate& t) { t.container.overrides.edit().hostname = "web-1.example"; }, {}},
      {[](TaskTemplate& t) { t.container.overrides.edit().hostname = "-web"; },
       {"hostname \"-web\""}},
      {[](TaskTemplate& t) { t.container.labels.edit()[" "] = ""; }, {"label key"}},
      {[](TaskTemplate& t) { t.container.overrides.edit().stop_signal = "SIGRTMIN+3"; }, {}},
      {[](TaskTemplate& t) { t.container.overrides.edit().stop_signal = "SIGFOO"; },
       {"stop signal \"SIGFOO\" is not a signal", "SIGTERM or SIGQUIT"}},
      {[](TaskTemplate& t) { t.container.overrides.edit().stop_signal = "TERM; rm"; },
       {"stop signal", "SIGTERM or SIGQUIT"}},
      {[](TaskTemplate& t) { t.container.stop_grace_period = -seconds(1); },
       {"stop grace period \"-1s\"", "e.g. 10s"}},
      {[](TaskTemplate& t) { t.drain_timeout = -seconds(1); }, {"drain timeout"}},
  });
}

TEST(ValidateTemplate, ChecksMounts) {
  expect_verdicts({
      {[](TaskTemplate& t) {
         t.container.mounts = {{MountType::bind, "/a", "/x"},
                               {MountType::volume, "data", "/y"},
                               {MountType::tmpfs, "", "/z"}};
       },
       {}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "data", "y"}}; },
       {"mount target \"y\" is not absolute"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::bind, "a", "/x"}}; },
       {"mount source \"a\""}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::tmpfs, "a", "/x"}}; },
       {"tmpfs", "leave the source"}},
      {[](TaskTemplate& t) {
         t.container.mounts = {{MountType::volume, "data", "/x"},
                               {MountType::volume, "more", "/x"}};
       },
       {"\"/x\" is used twice"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::tmpfs, "", "/"}}; },
       {"mount target \"/\" is the container's root"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::bind, "/a", "//./"}}; },
       {"is the container's root"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "", "/x"}}; }, {}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "my.data_1-x", "/x"}}; },
       {}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "/x", "/x"}}; },
       {"volume source \"/x\" is a path", "type=bind"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "d", "/x"}}; },
       {"volume source \"d\"", "at least two"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "-data", "/x"}}; },
       {"volume source \"-data\"", "is not a volume name"}},
      {[](TaskTemplate& t) { t.container.mounts = {{MountType::volume, "my data", "/x"}}; },
       {"is not a volume name"}},
  });
}

TEST(ValidateTemplate, ChecksHealthChecks) {
  expect_verdicts({
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{"NONE"}}; }, {}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{"CMD", "true", "x"}}; }, {}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{"HTTP", "/health"}}; }, {}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{}, milliseconds(1)}; }, {}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{"true"}}; },
       {"health check \"true\"", "CMD-SHELL"}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{"CMD"}}; }, {"wrong form"}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{"HTTP", "x"}}; }, {"begins with /"}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{}, microseconds(1)}; },
       {"health interval", "at least 1ms"}},
      {[](TaskTemplate& t) { t.container.health = HealthCheck{{}, Duration(), -seconds(1)}; },
       {"health timeout", "negative"}},
      {[](TaskTemplate& t) {
         t.container.health = HealthCheck{{}, Duration(), Duration(), Duration(), -1};
       },
       {"health retries \"-1\""}},
  });
}

TEST(ValidateTemplate, ChecksRestartAndPlacement) {
  expect_verdicts({
      {[](TaskTemplate& t) { t.restart.edit().delay = -seconds(1); }, {"restart delay"}},
      {[](TaskTemplate& t) { t.restart.edit().window = -seconds(1); }, {"restart window"}},
      {[](TaskTemplate& t) { t.placement.edit().constraints = {"node.role==worker"}; }, {}},
      {[](TaskTemplate& t) { t.placement.edit().constraints = {"node.x==worker"}; },
       {"known keys are"}},
      {[](TaskTemplate& t) { t.placement.edit().preferences = {"node.labels.zone"}; }, {}},
      {[](TaskTemplate& t) { t.placement.edit().preferences = {"spread=node.labels.zone"}; },
       {"store node.labels.zone"}},
      {[](TaskTemplate& t) { t.placement.edit().preferences = {"zone"}; },
       {"spread=node.labels.NAME"}},
      {[](TaskTemplate& t) { t.placement.edit().max_replicas_per_node = 100'001; },
       {"max replicas per node"}},
  });
}

TEST(ValidateTemplate, ChecksPublishedPorts) {
  expect_verdicts({
      {[](TaskTemplate& t) {
         t.ports = {{80, 8080}, {53, 8080, PortProtocol::udp}, {81, 0}, {82, 0}};
       },
       {}},
      {[](TaskTemplate& t) { t.ports = {{0, 8080}}; }, {"no target port", "8080:80"}},
      {[](TaskTemplate& t) {
         t.ports = {{80, 8080}, {81, 8080, PortProtocol::tcp, PublishMode::host}};
       },
       {"\"8080/tcp\" is published twice"}},
      {[](TaskTemplate& t) { t.ports.assign(1001, {80, 0}); }, {"1001 items"}},
  });
}

}  // namespace
}  // namespace swarm::model
