#include "raft/log/log_recovery.h"

#include <string>

#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

// What a killed process wrote and did not sync is read back from the system's cache and looks
// durable; after a sync that failed it is not even waiting to be written (Rebello et al., ATC
// 2020). It can only be of the last group, and a new segment's name: both go to the disk again
// before anybody builds on them. The torn tail is zeroed, so that its rest cannot come back.
Status make_durable(FileSystem& files, const std::filesystem::path& path, const LogScan& scan) {
  if (SWARM_MUTANT(recovery_not_synced)) {
    return absl::OkStatus();
  }
  SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.open(path, OpenMode::write));
  std::string bytes(scan.contents.offset - scan.last_group, '\0');
  SWARM_ASSIGN_OR_RETURN(const size_t read, file->read_at(scan.last_group, bytes));
  if (read != bytes.size()) {
    return absl::UnavailableError(path.string() + ": shrank while it was read");
  }
  bytes.append(scan.torn_bytes(), '\0');
  SWARM_RETURN_IF_ERROR(file->write_at(scan.last_group, bytes));
  SWARM_RETURN_IF_ERROR(file->sync());
  return files.sync_directory(path.parent_path());
}

}  // namespace

Result<LogContents> recover_log(FileSystem& files, const SegmentFiles& segments,
                                PayloadCipher& cipher) {
  LogScan scan = scan_log(files, segments, &cipher);
  SWARM_RETURN_IF_ERROR(scan.verdict);
  if (!scan.contents.is_empty()) {
    SWARM_RETURN_IF_ERROR(
        make_durable(files, segments.path_of(scan.contents.segment.number), scan));
  }
  return std::move(scan.contents);
}

}  // namespace swarm::raft
