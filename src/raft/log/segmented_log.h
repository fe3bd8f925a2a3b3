#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "raft/core/effects.h"
#include "raft/log/log_scan.h"
#include "raft/log/payload_cipher.h"
#include "raft/log/promise_file.h"
#include "raft/log/segment_files.h"

namespace swarm::raft {

struct LogOptions {
  std::filesystem::path directory;
  uint64_t segment_bytes = 8 << 20;
  // Where the promises of `member` are kept besides, outside of `directory`; empty: nowhere.
  std::filesystem::path promises{};
  MemberId member{};
};

// The write-ahead log of one member: segments of preallocated files, one write and one sync for a
// group, hard state and snapshot markers in the same log as the entries, every record sealed,
// checksummed and chained to the one before. docs/formats/raft-log.md describes the bytes.
//
// Not for reading entries back: the core holds them in memory; the log is read once, at the start.
//
// On the log loop. Errors: RESOURCE_EXHAUSTED (a full disk) changes nothing and may be tried again;
// after any other error of a write the caller must end the process, since what the disk holds is
// unknown (Rebello et al., ATC 2020).
class SegmentedLog {
 public:
  struct Opened {
    std::unique_ptr<SegmentedLog> log;
    LogContents contents;              // the entries are the caller's to take
    std::optional<Promises> promises;  // as they were written before this start
  };
  // DATA_LOSS as recover_log says, and when the log is not the one that the promises are about or
  // holds an older term or vote than they do. An empty directory is an empty log.
  static Result<Opened> open(LogOptions options, FileSystem& files, PayloadCipher& cipher,
                             Random random);

  // Makes the operations durable, in order, by one write and one sync.
  Status append(std::span<const PersistOp> group);
  // Recycles segments that hold only entries up to `index`.
  Status release_until(Index index);
  // Whether prepare_ahead has anything to do.
  bool lacks_room_ahead() const { return segments_.lacks_spare(); }
  // Prepares room for the time ahead, a slice at a call. Whether there is more to do. An error only
  // means that a later append may need to make room itself.
  Result<bool> prepare_ahead() { return segments_.prepare_spare_slice(); }
  // From now on, at every start, `reason` is why this member must not take part.
  Status refuse(const std::string& reason);

 private:
  struct Pending {
    RecordType type;
    std::string payload;
  };

  SegmentedLog(const LogOptions& options, FileSystem& files, PayloadCipher& cipher, Random random);
  void encode_op(const PersistOp& op, StateRecord& state, std::vector<Pending>& records) const;
  Status begin_segment(uint64_t bytes);
  Status write_promises();
  Status keep_promises(bool begins_segment);

  PayloadCipher& cipher_;
  SegmentFiles segments_;
  const MemberId member_;
  std::optional<PromiseFile> promise_file_;
  std::optional<HardState> promised_;  // as the file says
  std::string refusal_;
  Random random_;
  StateRecord state_;
  SegmentHeader segment_;
  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
  uint32_t last_crc_ = 0;
  std::map<uint64_t, Index> last_index_of_;
};

}  // namespace swarm::raft
