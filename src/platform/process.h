#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/result.h"

namespace swarm {
class AsioLoop;
}

// Other programs: starting them, naming them beyond the life of a pid, signalling and watching
// them. Errors carry the text of the operating system.
namespace swarm::platform {

// Names one process for good: pids are used again, `birth` (boot and start time) tells whose it is.
// Safe to store and to use after a restart of this program or of the machine.
struct ProcessId {
  int64_t pid = 0;
  std::string birth;

  bool operator==(const ProcessId&) const = default;
};

// NOT_FOUND when there is no process with that pid.
Result<ProcessId> identify_process(int64_t pid);
ProcessId current_process();

// False once it has ended, also when nobody has collected its exit status yet.
bool is_alive(const ProcessId& process);

// "SIGTERM", "TERM" or "15"; INVALID_ARGUMENT otherwise.
Result<int> parse_signal(std::string_view text);
// "SIGKILL"; "signal 64" for one without a name.
std::string signal_name(int number);

// Asks the process to stop (SIGTERM), or ends it. NOT_FOUND when it has ended.
Status terminate_process(const ProcessId& process);
Status kill_process(const ProcessId& process);
// Ends the process and all of the process group it leads. OK when nothing of it is left.
Status kill_process_group(const ProcessId& leader);
// Ends every process that was started with this "NAME=value" in its environment, as far as we may
// look: for machines without control groups. The last ones may be vanishing still.
void kill_marked_processes(const std::string& variable);

struct SpawnRequest {
  std::vector<std::string> command;      // the program's path, then its arguments
  std::vector<std::string> environment;  // NAME=value: all it gets
  std::filesystem::path workdir;         // empty: that of this process
  std::filesystem::path error_log;       // appended to by its stderr; empty: nowhere
  // Gives it a pipe (see write_report) and hands over what it wrote there.
  bool wants_report = false;
  // Instead: hands over the last kMaxOutputBytes of its stdout and stderr, mixed, as the report.
  bool wants_output = false;
};

inline constexpr size_t kMaxOutputBytes = 4096;

// How a process ended. Unknown for one that was started by somebody else.
struct ExitStatus {
  bool is_known = false;
  int code = 0;    // 128 + signal when a signal ended it, as shells have it
  int signal = 0;  // 0: it ended by itself
};

// All on the loop, each at most once.
struct ProcessEvents {
  absl::AnyInvocable<void(std::string)> on_report;  // at most 64 KiB
  absl::AnyInvocable<void(ExitStatus)> on_exit;
};

// Sees a process end. Destroying it ends the watch, not the process; nothing is called afterwards,
// and a child is left to collect_unwatched_children.
class WatchedProcess {
 public:
  virtual ~WatchedProcess() = default;
  virtual const ProcessId& id() const = 0;
};

// Starts a program in a session and process group of its own, with stdin and stdout on the null
// device and no other file of ours open: it lives on when this process is killed.
Result<std::unique_ptr<WatchedProcess>> spawn_process(AsioLoop& loop, const SpawnRequest& request,
                                                      ProcessEvents events);

// Watches any process. NOT_FOUND when it has ended.
Result<std::unique_ptr<WatchedProcess>> watch_process(AsioLoop& loop, const ProcessId& process,
                                                      absl::AnyInvocable<void(ExitStatus)> on_exit);

// Collects those children that have ended since their watch did. To be called now and then by a
// program that lives long: they stay zombies until then. From any thread.
void collect_unwatched_children();

// In a process started with `wants_report`: hands over `text` and closes the pipe. It does not
// matter whether the reader is still there.
void write_report(std::string_view text);

}  // namespace swarm::platform
