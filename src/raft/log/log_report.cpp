#include "raft/log/log_report.h"

#include <string>

#include "raft/core/codec.h"
#include "raft/log/continuation.h"
#include "raft/log/snapshot_file.h"

namespace swarm::raft {

namespace {

// Leaves snapshots sealed: their checksums are over the sealed bytes.
class NoKey final : public PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return std::string(plain); }
  Result<std::string> open(std::string_view sealed) override { return std::string(sealed); }
};

SnapshotSummary read_summary(FileSystem& files, const std::filesystem::path& path,
                             PayloadCipher& cipher) {
  SnapshotSummary summary;
  summary.path = path;
  const Result<std::unique_ptr<SnapshotReader>> reader = SnapshotReader::open(files, path, cipher);
  if (!reader.ok()) {
    summary.verdict = reader.status();
    return summary;
  }
  summary.meta = (*reader)->meta();
  summary.file_bytes = (*reader)->file_bytes();
  while (true) {
    const Result<std::optional<std::string>> chunk = (*reader)->next();
    if (!chunk.ok() || !*chunk) {
      summary.verdict = chunk.status();
      return summary;
    }
    ++summary.chunks;
  }
}

void find_membership(LogReport& report) {
  if (!report.snapshots.empty() && report.snapshots.front().verdict.ok()) {
    report.membership = report.snapshots.front().meta.configuration;
    report.membership_index = report.snapshots.front().meta.index;
  }
  for (const Entry& entry : report.log.contents.entries) {
    if (entry.kind != EntryKind::membership || entry.index <= report.membership_index) {
      continue;
    }
    Result<Configuration> decoded = decode_configuration(*entry.data);
    if (decoded.ok()) {
      report.membership = *std::move(decoded);
      report.membership_index = entry.index;
    }
  }
}

}  // namespace

Result<LogReport> report_log(FileSystem& files, const std::filesystem::path& directory,
                             PayloadCipher* cipher) {
  const SegmentFiles segments(files, directory / "log", 0);
  if (!files.exists(directory / "log")) {
    return absl::NotFoundError(directory.string() + " holds no raft log");
  }
  LogReport report;
  report.log = scan_log(files, segments, cipher);
  if (!report.log.verdict.ok()) {
    report.damage.push_back(report.log.verdict);
  }
  std::vector<std::filesystem::path> paths;
  if (files.exists(directory / "snapshots")) {
    SWARM_ASSIGN_OR_RETURN(paths, list_snapshots(files, directory / "snapshots"));
  }
  NoKey no_key;
  for (const std::filesystem::path& path : paths) {
    report.snapshots.push_back(read_summary(files, path, cipher == nullptr ? no_key : *cipher));
    if (!report.snapshots.back().verdict.ok()) {
      report.damage.push_back(report.snapshots.back().verdict);
    }
  }
  find_membership(report);
  if (report.damage.empty()) {
    const SnapshotMeta newest =
        report.snapshots.empty() ? SnapshotMeta{} : report.snapshots.front().meta;
    const LogContents& log = report.log.contents;
    const Status continues =
        check_continuation(directory, log.snapshot, newest, entries_after(log.entries, newest));
    if (!continues.ok()) {
      report.damage.push_back(continues);
    }
  }
  return report;
}

}  // namespace swarm::raft
