#include "raft/log/log_scan.h"

#include <algorithm>

#include "raft/core/byte_codec.h"
#include "raft/core/codec.h"
#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

Status damage(const std::filesystem::path& path, size_t offset, std::string_view what) {
  return absl::DataLossError(path.string() + ": at offset " + std::to_string(offset) + " " +
                             std::string(what) + ". " + kDamageCure);
}

// Reads segments one after the other into the scan.
class Scanner {
 public:
  Scanner(FileSystem& files, const SegmentFiles& segments, PayloadCipher* cipher)
      : files_(files), segments_(segments), cipher_(cipher) {}

  LogScan run() {
    scan_.verdict = read_segments();
    scan_.torn_end = std::max(scan_.torn_end, contents_.offset);
    scan_.last_group = std::min(scan_.last_group, contents_.offset);
    return std::move(scan_);
  }

 private:
  Status read_segments() {
    SWARM_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, segments_.list());
    for (const uint64_t number : numbers) {
      SWARM_RETURN_IF_ERROR(read_segment(number, number == numbers.back()));
    }
    return absl::OkStatus();
  }

  Status read_segment(uint64_t number, bool is_last) {
    path_ = segments_.path_of(number);
    SWARM_ASSIGN_OR_RETURN(const std::string bytes,
                           read_file(files_, path_, SegmentHeader::kMaxFileBytes));
    SWARM_ASSIGN_OR_RETURN(const SegmentHeader header, read_header(number, bytes));
    begin_segment(header);
    uint64_t group = 0;
    while (const std::optional<Record> record = next_record(bytes)) {
      SWARM_RETURN_IF_ERROR(replay(*record));
      SegmentSummary& summary = scan_.segments.back();
      ++(record->type == RecordType::state ? summary.state_records : summary.entry_records);
      if (record->group_start != std::exchange(group, record->group_start)) {
        ++summary.groups;
      }
      contents_.last_crc = record->crc;
      contents_.offset += Record::framed_size(record->payload.size());
      summary.end = contents_.offset;
    }
    scan_.last_group = group == 0 ? contents_.offset : group;
    return is_last ? find_torn_tail(bytes) : absl::OkStatus();
  }

  Result<SegmentHeader> read_header(uint64_t number, std::string_view bytes) const {
    SWARM_ASSIGN_OR_RETURN(const SegmentHeader header, decode_header(bytes));
    if (header.number != number) {
      return damage(path_, 0,
                    "the segment says it is number " + std::to_string(header.number) +
                        ": the file was renamed");
    }
    if (!contents_.is_empty() && number != contents_.segment.number + 1) {
      return damage(path_, 0, "the segment before is missing");
    }
    if (!contents_.is_empty() && header.log != contents_.segment.log) {
      return damage(path_, 0, "the segment is of another log than the one before");
    }
    if (!contents_.is_empty() && header.previous_crc != contents_.last_crc) {
      return damage(segments_.path_of(contents_.segment.number), contents_.offset,
                    "a record is damaged or missing that the next segment follows");
    }
    if (bytes.size() < header.file_bytes) {
      return damage(path_, bytes.size(),
                    "the file ends, which had " + std::to_string(header.file_bytes) + " bytes");
    }
    return header;
  }

  Result<SegmentHeader> decode_header(std::string_view bytes) const {
    Result<SegmentHeader> header = decode_segment_header(bytes);
    return header.ok() ? header : damage(path_, 0, "the segment header is damaged");
  }

  void begin_segment(const SegmentHeader& header) {
    contents_.segment = header;
    contents_.last_crc = header.previous_crc;
    contents_.last_index_of[header.number] = Index();
    contents_.offset = SegmentHeader::kBytes;
    SegmentSummary summary;
    summary.header = header;
    summary.end = contents_.offset;
    scan_.segments.push_back(summary);
  }

  std::optional<Record> next_record(std::string_view bytes) const {
    std::optional<Record> record = parse_record(bytes, contents_.offset, contents_.segment.epoch);
    if (record && record->previous_crc != contents_.last_crc) {
      return std::nullopt;
    }
    return record;
  }

  // Nothing valid is at the offset. Whole records after it of a later group show that the group at
  // the offset had been synced: that is damage. Records of the same group are what a crash leaves
  // when the disk writes pages in another order.
  Status find_torn_tail(std::string_view bytes) {
    for (uint64_t at = contents_.offset; at < bytes.size(); at += Record::kAlignment) {
      const std::optional<Record> record = parse_record(bytes, at, contents_.segment.epoch);
      if (!record) {
        continue;
      }
      if (record->group_start > contents_.offset && !SWARM_MUTANT(corruption_cut)) {
        return damage(path_, contents_.offset, "a record is damaged that later ones follow");
      }
      scan_.torn_end = at + Record::framed_size(record->payload.size());
    }
    return absl::OkStatus();
  }

  Status replay(const Record& record) {
    const Status replayed = record.type == RecordType::state ? replay_state(record.payload)
                                                             : replay_entries(record.payload);
    if (!replayed.ok()) {
      return damage(path_, contents_.offset, std::string(replayed.message()));
    }
    return absl::OkStatus();
  }

  Status replay_state(std::string_view payload) {
    SWARM_ASSIGN_OR_RETURN(const StateRecord state, decode_state_record(payload));
    const HardState& before = contents_.hard_state;
    if (state.hard_state.term < before.term) {
      return absl::DataLossError("the term goes down");
    }
    if (state.hard_state.term == before.term && !before.vote.is_empty() &&
        state.hard_state.vote != before.vote) {
      return absl::DataLossError("the vote changes within a term");
    }
    contents_.hard_state = state.hard_state;
    if (state.snapshot.resets_log) {
      contents_.entries.clear();
    }
    contents_.snapshot = state.snapshot;
    return absl::OkStatus();
  }

  Status replay_entries(std::string_view payload) {
    if (cipher_ == nullptr) {
      return absl::OkStatus();
    }
    SWARM_ASSIGN_OR_RETURN(const std::string plain, cipher_->open(payload));
    ByteReader reader(plain);
    const Index first(reader.number());
    std::vector<Entry> entries = read_entries(reader, first);
    SWARM_RETURN_IF_ERROR(reader.finish("a record of entries"));
    if (entries.empty()) {
      return absl::DataLossError("a record of entries holds none");
    }
    std::vector<Entry>& log = contents_.entries;
    if (!log.empty() && first > after(log.back().index)) {
      return absl::DataLossError("entries are missing before index " +
                                 std::to_string(first.value()));
    }
    while (!log.empty() && log.back().index >= first) {
      log.pop_back();
    }
    for (Entry& entry : entries) {
      log.push_back(std::move(entry));
    }
    note_indexes(first, log.back().index);
    return absl::OkStatus();
  }

  void note_indexes(Index first, Index last) {
    Index& highest = contents_.last_index_of[contents_.segment.number];
    highest = std::max(highest, last);
    SegmentSummary& summary = scan_.segments.back();
    summary.first = summary.first.is_empty() ? first : std::min(summary.first, first);
    summary.last = highest;
  }

  FileSystem& files_;
  const SegmentFiles& segments_;
  PayloadCipher* const cipher_;
  std::filesystem::path path_;
  LogScan scan_;
  LogContents& contents_ = scan_.contents;
};

}  // namespace

LogScan scan_log(FileSystem& files, const SegmentFiles& segments, PayloadCipher* cipher) {
  return Scanner(files, segments, cipher).run();
}

}  // namespace swarm::raft
