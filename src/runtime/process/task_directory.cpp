#include "runtime/process/task_directory.h"

#include <algorithm>

#include "base/units.h"

namespace swarm::runtime {

namespace {

constexpr const char* kTaskName = "task.json";
constexpr const char* kStartName = "started.json";
constexpr const char* kExitName = "exit.json";
constexpr const char* kGraceName = "grace";
constexpr const char* kHealthyName = "healthy";
constexpr const char* kLockName = "lock";
// The largest spec that is accepted, with room for what is added to it.
constexpr size_t kMaxRecordBytes = 4 << 20;

}  // namespace

TaskDirectory::TaskDirectory(FileSystem& files, std::filesystem::path path)
    : files_(files), path_(std::move(path)) {}

Status TaskDirectory::create() {
  return files_.make_directories(path_);
}

Status TaskDirectory::remove() {
  return platform::remove_tree(path_);
}

Status TaskDirectory::forget_run() {
  // The logs as well: what the next run says must not be mistaken for what this one said.
  for (const auto& path : {path_ / kStartName, path_ / kExitName, path_ / kGraceName,
                           path_ / kHealthyName, stdout_log(), stderr_log()}) {
    if (files_.exists(path)) {
      SWARM_RETURN_IF_ERROR(files_.remove(path));
    }
  }
  return absl::OkStatus();
}

std::string TaskDirectory::log_tail(size_t max_bytes) const {
  std::string tail;
  for (const std::filesystem::path& path : {stdout_log(), stderr_log()}) {
    const auto file = files_.open(path, OpenMode::read);
    const Result<uint64_t> size = file.ok() ? (*file)->size() : file.status();
    if (!size.ok()) {
      continue;  // nothing was written
    }
    std::string text(std::min<uint64_t>(*size, max_bytes), '\0');
    const Result<size_t> got = (*file)->read_at(*size - text.size(), text);
    text.resize(got.value_or(0));
    tail += text;
  }
  return tail;
}

Status TaskDirectory::replace(const std::filesystem::path& name, std::string_view contents) {
  const std::filesystem::path path = path_ / name;
  std::filesystem::path fresh = path;
  fresh += ".new";
  {
    SWARM_ASSIGN_OR_RETURN(const auto file, files_.open(fresh, OpenMode::create_or_open));
    SWARM_RETURN_IF_ERROR(file->truncate(0));
    SWARM_RETURN_IF_ERROR(file->write_at(0, contents));
  }
  return files_.rename(fresh, path);
}

Result<std::optional<std::string>> TaskDirectory::read(const std::filesystem::path& name) const {
  auto text = read_file(files_, path_ / name, kMaxRecordBytes);
  if (absl::IsNotFound(text.status())) {
    return std::optional<std::string>();
  }
  if (!text.ok()) {
    return text.status();
  }
  return std::optional<std::string>(*std::move(text));
}

Status TaskDirectory::write(const TaskRecord& record) {
  return replace(kTaskName, encode(record));
}

Status TaskDirectory::write(const StartRecord& record) {
  return replace(kStartName, encode(record));
}

Status TaskDirectory::write(const ExitRecord& record) {
  return replace(kExitName, encode(record));
}

Result<TaskRecord> TaskDirectory::read_task() const {
  SWARM_ASSIGN_OR_RETURN(const std::string text,
                         read_file(files_, path_ / kTaskName, kMaxRecordBytes));
  return decode_task_record(text);
}

Result<std::optional<StartRecord>> TaskDirectory::read_start() const {
  SWARM_ASSIGN_OR_RETURN(const auto text, read(kStartName));
  if (!text) {
    return std::optional<StartRecord>();
  }
  SWARM_ASSIGN_OR_RETURN(StartRecord record, decode_start_record(*text));
  return std::optional<StartRecord>(std::move(record));
}

Result<std::optional<ExitRecord>> TaskDirectory::read_exit() const {
  SWARM_ASSIGN_OR_RETURN(const auto text, read(kExitName));
  if (!text) {
    return std::optional<ExitRecord>();
  }
  SWARM_ASSIGN_OR_RETURN(ExitRecord record, decode_exit_record(*text));
  return std::optional<ExitRecord>(std::move(record));
}

Status TaskDirectory::write_grace(Duration grace) {
  return replace(kGraceName, format_duration(grace));
}

std::optional<Duration> TaskDirectory::read_grace() const {
  const auto text = read(kGraceName);
  if (!text.ok() || !*text) {
    return std::nullopt;
  }
  const auto grace = parse_duration(**text);
  return grace.ok() ? std::optional<Duration>(*grace) : std::nullopt;
}

Status TaskDirectory::mark_healthy() {
  return replace(kHealthyName, "");
}

bool TaskDirectory::is_marked_healthy() const {
  return files_.exists(path_ / kHealthyName);
}

Result<std::unique_ptr<platform::FileLock>> TaskDirectory::lock() const {
  return platform::lock_file(path_ / kLockName);
}

bool TaskDirectory::is_starting() const {
  if (!files_.exists(path_ / kLockName) || files_.exists(path_ / kStartName) ||
      files_.exists(path_ / kExitName)) {
    return false;
  }
  return absl::IsFailedPrecondition(lock().status());
}

}  // namespace swarm::runtime
