#include "runtime/process/task_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm::runtime {
namespace {

TaskRecord full_record() {
  TaskRecord record;
  record.labels.swarm = model::SwarmId("s");
  record.labels.node = model::NodeId("n");
  record.labels.task = model::TaskId("t");
  record.labels.service = model::ServiceId("v");
  record.labels.service_name = "web";
  record.labels.slot = 2;
  record.labels.revision = 5;
  record.mark = "t-1234abcd";
  record.command = {"/bin/web", "two words"};
  record.environment = {"A=1", "B="};
  record.workdir = "/srv";
  record.ports = {{.target = 53, .protocol = model::PortProtocol::udp, .port = 20001},
                  {.target = 80, .protocol = model::PortProtocol::tcp, .port = 20002}};
  record.health = model::HealthCheck{.test = {"CMD", "x"},
                                     .interval = seconds(1),
                                     .timeout = seconds(2),
                                     .start_period = seconds(3),
                                     .retries = 4};
  record.stop_signal = "SIGINT";
  record.grace = seconds(9);
  record.limits = {.memory_bytes = 1, .nano_cpus = 2, .pids = 3};
  return record;
}

TEST(TaskRecords, SurviveTheDisk) {
  const auto again = decode_task_record(encode(full_record()));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, full_record());
  const StartRecord start{.shim = {1, "a"}, .process = {2, "b"}};
  EXPECT_EQ(*decode_start_record(encode(start)), start);
  const ExitRecord exit{.exit_code = 137, .error = "killed"};
  EXPECT_EQ(*decode_exit_record(encode(exit)), exit);
}

TEST(TaskRecords, ReportKeepsTheStatus) {
  const auto again = decode_start_report(
      encode(StartReport{.process = {}, .warnings = {"w"}, .status = absl::NotFoundError("gone")}));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->status, absl::NotFoundError("gone"));
  EXPECT_THAT(again->warnings, testing::ElementsAre("w"));
}

TEST(TaskRecords, TornOrForeignTextIsAnError) {
  const std::string text = encode(full_record());
  for (size_t length = 0; length < text.size(); length += 7) {
    EXPECT_TRUE(absl::IsDataLoss(decode_task_record(text.substr(0, length)).status())) << length;
  }
  EXPECT_TRUE(absl::IsDataLoss(decode_task_record("[]").status()));
  EXPECT_TRUE(absl::IsDataLoss(decode_exit_record(R"({"exit_code": "x"})").status()));
}

TEST(TaskRecords, BytesThatAreNoTextDoNotBreakThem) {
  TaskRecord record = full_record();
  record.environment = {"RAW=\xff\xfe"};
  EXPECT_TRUE(decode_task_record(encode(record)).ok());
}

TEST(TaskRecords, EnvironmentNamesEveryPort) {
  EXPECT_THAT(environment_of(full_record()),
              testing::ElementsAre("A=1", "B=", "SWARM_TASK_MARK=t-1234abcd", "PORT_53=20001",
                                   "PORT_80=20002", "PORT=20002"));
}

}  // namespace
}  // namespace swarm::runtime
