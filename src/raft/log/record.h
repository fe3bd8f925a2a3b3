#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/core/effects.h"

// The frames of a segment of the log; docs/formats/raft-log.md draws them.
namespace swarm::raft {

// A segment begins with one of these, in a sector of its own that no record touches.
struct SegmentHeader {
  uint64_t number = 0;
  // Fresh for every use of a file: what an earlier use left behind is not mistaken for a record.
  uint64_t epoch = 0;
  // Of the file, which has its full size before it is a segment: a shorter one was cut by something
  // else than a crash.
  uint64_t file_bytes = 0;
  uint32_t previous_crc = 0;  // of the last record of the segment before
  // Of the log that the segment belongs to: random, chosen with its first segment.
  uint64_t log = 0;

  static constexpr size_t kBytes = 512;
  // No segment is larger than its largest group, which raft bounds by its uncommitted bytes.
  static constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
};

std::string encode(const SegmentHeader& header);
// DATA_LOSS when it is not one.
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

enum class RecordType : uint8_t {
  state = 1,    // hard state and snapshot marker, both whole
  entries = 2,  // sealed: the index of the first, and entries
};

struct Record {
  RecordType type = RecordType::state;
  uint32_t previous_crc = 0;
  uint32_t crc = 0;
  // Where in the segment the group begins that it was written with. Everything under it was durable
  // before this record was written: this tells damage from a torn tail.
  uint32_t group_start = 0;
  std::string_view payload;

  static constexpr size_t kHeaderBytes = 32;
  static constexpr size_t kAlignment = 8;

  static size_t framed_size(size_t payload) {
    return (kHeaderBytes + payload + kAlignment - 1) / kAlignment * kAlignment;
  }
};

// Appends the frame to `bytes` and returns its checksum.
uint32_t append_record(std::string& bytes, const SegmentHeader& segment, RecordType type,
                       uint32_t previous_crc, uint32_t group_start, std::string_view payload);

// The record at `offset`, if a whole and undamaged one of this epoch is there.
std::optional<Record> parse_record(std::string_view segment, size_t offset, uint64_t epoch);

struct StateRecord {
  HardState hard_state;
  SnapshotMarker snapshot;
};

std::string encode(const StateRecord& state);
Result<StateRecord> decode_state_record(std::string_view payload);

}  // namespace swarm::raft
