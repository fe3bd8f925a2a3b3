#include "raft/log/log_recovery.h"

#include <string>

namespace swarm::raft {

Result<LogContents> recover_log(FileSystem& files, const SegmentFiles& segments,
                                PayloadCipher& cipher) {
  LogScan scan = scan_log(files, segments, &cipher);
  SWARM_RETURN_IF_ERROR(scan.verdict);
  if (scan.torn_bytes() > 0) {
    SWARM_ASSIGN_OR_RETURN(
        const std::unique_ptr<File> file,
        files.open(segments.path_of(scan.contents.segment.number), OpenMode::write));
    SWARM_RETURN_IF_ERROR(
        file->write_at(scan.contents.offset, std::string(scan.torn_bytes(), '\0')));
    SWARM_RETURN_IF_ERROR(file->sync());
  }
  return std::move(scan.contents);
}

}  // namespace swarm::raft
