#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "raft/core/effects.h"
#include "raft/log/payload_cipher.h"
#include "raft/log/record.h"
#include "raft/log/segment_files.h"

namespace swarm::raft {

// What a log holds: everything that was ever acknowledged, and perhaps some of the last group that
// was not.
struct LogContents {
  HardState hard_state;
  SnapshotMarker snapshot;
  // Contiguous; may begin before the snapshot's index.
  std::vector<Entry> entries;

  // Where writing goes on.
  SegmentHeader segment;  // number 0: there is none
  uint64_t offset = 0;
  uint32_t last_crc = 0;
  std::map<uint64_t, Index> last_index_of;  // segment number -> highest index ever written in it

  bool is_empty() const { return segment.number == 0; }
};

// What was read of one segment.
struct SegmentSummary {
  SegmentHeader header;
  uint64_t end = 0;  // offset after its last record
  uint64_t groups = 0;
  uint64_t state_records = 0;
  uint64_t entry_records = 0;
  // Of the entries in it, replaced ones included; empty when it has none or they stayed sealed.
  Index first;
  Index last;
};

struct LogScan {
  LogContents contents;
  std::vector<SegmentSummary> segments;
  // Where the last group of the last segment begins; contents.offset when it has none.
  uint64_t last_group = 0;
  // After contents.offset up to here lies what a crash left of a group that was never acknowledged.
  uint64_t torn_end = 0;
  // DATA_LOSS, naming the file, the offset and the cure, when what was acknowledged is damaged; the
  // rest is then what came before.
  Status verdict;

  uint64_t torn_bytes() const { return torn_end - contents.offset; }
};

// Reads and checks a log without changing anything. Without a cipher the entries stay sealed:
// checksums and the chain are checked all the same, but which entries there are remains unknown.
//
// An acknowledged last group that rotted on disk looks the same as a torn one and cannot be told
// apart.
LogScan scan_log(FileSystem& files, const SegmentFiles& segments, PayloadCipher* cipher);

// What to do about a member whose storage is damaged; ends the message of every such error.
inline constexpr const char* kDamageCure =
    "This manager lost what it promised to keep and must not take part again. Run `swarmctl swarm "
    "leave --force` on it and join it again with a manager token; if it is the only manager, "
    "`swarmctl swarm restore` brings a backup back";

}  // namespace swarm::raft
