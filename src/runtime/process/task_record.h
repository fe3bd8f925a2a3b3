#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/result.h"
#include "platform/cgroup.h"
#include "platform/process.h"

// What is written in a task's directory, as JSON. Written by one version of swarmd and read by the
// next: unknown fields are ignored, missing ones have defaults.
namespace swarm::runtime {

inline constexpr const char* kMarkVariable = "SWARM_TASK_MARK";

// Target of the port that is given to a task which publishes none: nobody reaches it from outside.
inline constexpr uint16_t kUnpublished = 0;

// One published target and the loopback port it has here.
struct TaskPort {
  uint16_t target = kUnpublished;
  model::PortProtocol protocol = model::PortProtocol::tcp;
  uint16_t port = 0;  // 0: not chosen yet

  bool operator==(const TaskPort&) const = default;
};

// All that is needed to run the task. By the executor, before the start.
struct TaskRecord {
  agent::TaskLabels labels;
  // Names the task's processes on this machine: their control group, and kMarkVariable in their
  // environment. Unlike the id of the task it is never that of another state folder.
  std::string mark;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // without the ports
  std::string workdir;
  std::vector<TaskPort> ports;
  std::optional<model::HealthCheck> health;  // never NONE: that is no check
  std::string stop_signal;
  Duration grace{};  // when nobody says otherwise
  platform::CgroupLimits limits;

  bool operator==(const TaskRecord&) const = default;
};

// By the shim, as soon as the process runs.
struct StartRecord {
  platform::ProcessId shim;
  platform::ProcessId process;

  bool operator==(const StartRecord&) const = default;
};

// By the shim, at the end.
struct ExitRecord {
  int32_t exit_code = 0;
  std::string error;

  bool operator==(const ExitRecord&) const = default;
};

// What the shim tells the executor right after the start.
struct StartReport {
  platform::ProcessId process;
  std::vector<std::string> warnings;
  // Not OK: it could not be started.
  Status status;
};

std::string encode(const TaskRecord& record);
std::string encode(const StartRecord& record);
std::string encode(const ExitRecord& record);
// {"name": "value"}: as a task finds the labels of its container in SWARM_CONTAINER_LABELS.
std::string encode(const model::Labels& labels);
std::string encode(const StartReport& report);

// DATA_LOSS when the text is not what encode() writes.
Result<TaskRecord> decode_task_record(std::string_view text);
Result<StartRecord> decode_start_record(std::string_view text);
Result<ExitRecord> decode_exit_record(std::string_view text);
Result<StartReport> decode_start_report(std::string_view text);

// "SWARM_TASK_MARK=...".
std::string mark_of(const TaskRecord& record);

// The environment of the process: the record's, PORT (the first tcp target), PORT_<target>, and the
// mark.
std::vector<std::string> environment_of(const TaskRecord& record);

}  // namespace swarm::runtime
