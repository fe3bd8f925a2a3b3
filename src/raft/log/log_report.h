#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "raft/core/configuration.h"
#include "raft/log/log_scan.h"
#include "raft/log/payload_cipher.h"

namespace swarm::raft {

// One whole snapshot file, read to its end.
struct SnapshotSummary {
  std::filesystem::path path;
  SnapshotMeta meta;
  uint64_t chunks = 0;
  uint64_t file_bytes = 0;
  Status verdict;
};

// Everything that the folder of a member holds, checked like at its start.
struct LogReport {
  LogScan log;
  std::vector<SnapshotSummary> snapshots;  // newest first
  // Who is in the group by the last word of the log or else the newest snapshot. Without the key
  // only the snapshot's is known.
  Configuration membership;
  Index membership_index;  // of the entry or snapshot that says so; empty: nobody does
  // Everything that a start would refuse.
  std::vector<Status> damage;
};

// Reads and changes nothing, so it may be called on the folder of a member that is running; what is
// written meanwhile may then look torn. Without a cipher payloads stay sealed. NOT_FOUND when the
// folder holds no log.
Result<LogReport> report_log(FileSystem& files, const std::filesystem::path& directory,
                             PayloadCipher* cipher);

}  // namespace swarm::raft
