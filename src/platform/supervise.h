#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "platform/cgroup.h"
#include "platform/process.h"

namespace swarm::platform {

// What a supervisor runs. Paths are absolute.
struct SuperviseRequest {
  std::vector<std::string> command;  // a name without '/' is searched in PATH of `environment`
  std::vector<std::string> environment;
  std::filesystem::path workdir;
  // The output of the process. At `max_log_bytes` a log is renamed to "NAME.1" and begun anew, so
  // the two together never take more than twice that.
  std::filesystem::path stdout_log;
  std::filesystem::path stderr_log;
  uint64_t max_log_bytes = 0;
  int stop_signal = 0;
  std::string cgroup;  // name for its control group; empty: none
  CgroupLimits limits;

  // The process runs; `warnings` says which limits could not be set.
  std::function<void(const ProcessId& process, const std::vector<std::string>& warnings)>
      on_started;
  // Asked at each request to stop (SIGTERM): how long the process may take before it is killed.
  std::function<Duration()> grace;
};

struct SuperviseResult {
  int exit_code = 0;  // 128 + signal when a signal ended it
  int signal = 0;
  // The kernel killed the process itself for want of memory; a child's end is the process's affair.
  bool is_out_of_memory = false;
};

// The life of a task shim: starts the process, waits, and leaves nothing of it behind. For a
// process of its own with a single thread: it takes over signal handling, and blocks until the end.
//
// A request to stop is SIGTERM: the process gets its stop signal, and at the end of the grace
// period everything it started is killed. Like the first process of a container, its end is the end
// of all its descendants, also of those that made themselves a session of their own. When the
// supervisor itself is killed the kernel kills the process at once; what that had started is left
// to whoever knows the name of the control group.
//
// An error means that it could not be started: NOT_FOUND, PERMISSION_DENIED or FAILED_PRECONDITION
// for a bad command, otherwise what the system lacked.
Result<SuperviseResult> supervise(const SuperviseRequest& request);

}  // namespace swarm::platform
