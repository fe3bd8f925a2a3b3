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
  uint64_t segment_size = 0;
  uint64_t offset = 0;
  uint32_t last_crc = 0;
  std::map<uint64_t, Index> last_index_of;  // segment number -> highest index ever written in it

  bool is_empty() const { return segment.number == 0; }
};

// Reads a log. A tail that a crash tore in the middle of a group is cut off (zeroed, so that its
// rest cannot come back). Damage to what was acknowledged is refused with DATA_LOSS, naming the
// file, the offset and the cure. An acknowledged last group that rotted on disk looks the same as a
// torn one and cannot be told apart.
Result<LogContents> recover_log(FileSystem& files, SegmentFiles& segments, PayloadCipher& cipher);

}  // namespace swarm::raft
