#include "runtime/process/task_shim.h"

#include <iostream>

#include "base/units.h"
#include "platform/file_system.h"
#include "platform/resident_code.h"
#include "platform/supervise.h"
#include "runtime/process/task_directory.h"

namespace swarm::runtime {

namespace {

// A task that logs without end must not fill the disk: each of its two logs takes twice this.
constexpr uint64_t kMaxLogBytes = 10 << 20;
constexpr int kBadUsage = 2;
constexpr int kCannotStart = 127;
constexpr const char* kDefaultStopSignal = "SIGTERM";

int refuse(const Status& status) {
  platform::write_report(encode(StartReport{.process = {}, .warnings = {}, .status = status}));
  std::cerr << status.message() << "\n";
  return kCannotStart;
}

std::string describe_end(const platform::SuperviseResult& result, const TaskRecord& record) {
  if (result.is_out_of_memory) {
    return "out of memory: the limit is " + format_bytes(record.limits.memory_bytes);
  }
  if (result.signal != 0) {
    return "killed by " + platform::signal_name(result.signal);
  }
  return "";
}

// What the process may not start without, or a status for the executor.
Result<platform::SuperviseRequest> make_request(const TaskRecord& record,
                                                TaskDirectory& directory) {
  SWARM_ASSIGN_OR_RETURN(
      const int stop_signal,
      platform::parse_signal(record.stop_signal.empty() ? kDefaultStopSignal : record.stop_signal));
  platform::SuperviseRequest request;
  request.command = record.command;
  request.environment = environment_of(record);
  request.workdir = record.workdir;
  request.stdout_log = directory.stdout_log();
  request.stderr_log = directory.stderr_log();
  request.max_log_bytes = kMaxLogBytes;
  request.stop_signal = stop_signal;
  request.cgroup = record.mark;
  request.limits = record.limits;
  request.grace = [&directory, grace = record.grace] {
    return directory.read_grace().value_or(grace);
  };
  request.on_started = [&directory](const platform::ProcessId& process,
                                    const std::vector<std::string>& warnings) {
    StartReport report{.process = process, .warnings = warnings, .status = absl::OkStatus()};
    const Status written =
        directory.write(StartRecord{.shim = platform::current_process(), .process = process});
    if (!written.ok()) {
      report.warnings.push_back("the task will not be found again after a restart: " +
                                std::string(written.message()));
    }
    platform::write_report(encode(report));
    platform::release_resident_code();  // there is one shim for every task
  };
  return request;
}

}  // namespace

int run_task_shim(std::span<const std::string> arguments) {
  if (arguments.size() != 1) {
    std::cerr << "usage: swarmd task-shim DIRECTORY (started by swarmd, one for each process)\n";
    return kBadUsage;
  }
  const auto files = platform::make_file_system();
  TaskDirectory directory(*files, arguments.front());
  const auto lock = directory.lock();
  if (!lock.ok()) {
    return refuse(lock.status());
  }
  const auto record = directory.read_task();
  if (!record.ok()) {
    return refuse(record.status());
  }
  const auto request = make_request(*record, directory);
  if (!request.ok()) {
    return refuse(request.status());
  }
  const auto result = platform::supervise(*request);
  if (!result.ok()) {
    return refuse(result.status());
  }
  const Status written = directory.write(
      ExitRecord{.exit_code = result->exit_code, .error = describe_end(*result, *record)});
  if (!written.ok()) {
    std::cerr << "the exit code is lost: " << written.message() << "\n";
  }
  return result->exit_code;
}

}  // namespace swarm::runtime
