#pragma once

#include <filesystem>
#include <optional>

#include "base/file_system.h"
#include "base/result.h"
#include "platform/file_system.h"
#include "runtime/process/task_record.h"

namespace swarm::runtime {

// The directory of one task: all that the executor and the shim tell each other, and what a later
// executor needs to find the task again. Each file is replaced as a whole, so that a reader sees
// the old or the new contents. They are not synced: after a power loss the process is gone, too,
// and a record that cannot be read is that of a task that no longer exists.
class TaskDirectory {
 public:
  TaskDirectory(FileSystem& files, std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path stdout_log() const { return path_ / "stdout.log"; }
  std::filesystem::path stderr_log() const { return path_ / "stderr.log"; }
  // What the shim itself has to complain about.
  std::filesystem::path shim_log() const { return path_ / "shim.log"; }

  Status create();
  Status remove();
  // Forgets how the task was run before: what remains is its record. For another start.
  Status forget_run();
  // The last `max_bytes` of both logs of the process.
  std::string log_tail(size_t max_bytes) const;

  Status write(const TaskRecord& record);
  Status write(const StartRecord& record);
  Status write(const ExitRecord& record);
  Result<TaskRecord> read_task() const;
  // Empty when there is no such file (yet).
  Result<std::optional<StartRecord>> read_start() const;
  Result<std::optional<ExitRecord>> read_exit() const;

  // The grace period of a request to stop; read by the shim when it is signalled.
  Status write_grace(Duration grace);
  std::optional<Duration> read_grace() const;

  // The task was healthy once.
  Status mark_healthy();
  bool is_marked_healthy() const;

  // Held by the shim for as long as it lives. FAILED_PRECONDITION when another has it.
  Result<std::unique_ptr<platform::FileLock>> lock() const;
  // A shim has begun and not yet said how it went.
  bool is_starting() const;

 private:
  Status replace(const std::filesystem::path& name, std::string_view contents);
  Result<std::optional<std::string>> read(const std::filesystem::path& name) const;

  FileSystem& files_;
  std::filesystem::path path_;
};

}  // namespace swarm::runtime
