#pragma once

#include "base/file_system.h"
#include "base/result.h"
#include "raft/log/log_scan.h"
#include "raft/log/payload_cipher.h"
#include "raft/log/segment_files.h"

namespace swarm::raft {

// Reads a log. A tail that a crash tore in the middle of a group is cut off (zeroed, so that its
// rest cannot come back), and what was read is durable on return, also when its writer was killed
// before its sync. Damage to what was acknowledged is refused with DATA_LOSS, naming the
// file, the offset and the cure, and nothing is changed.
Result<LogContents> recover_log(FileSystem& files, const SegmentFiles& segments,
                                PayloadCipher& cipher);

}  // namespace swarm::raft
