#include "raft/log/log_recovery.h"

#include <algorithm>

#include "raft/core/byte_codec.h"
#include "raft/core/codec.h"
#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

// No segment is larger than its largest group; a group is bounded by the uncommitted bytes of raft.
constexpr size_t kMaxSegmentBytes = size_t{1} << 30;

Status damage(const std::filesystem::path& path, size_t offset, std::string_view what) {
  return absl::DataLossError(
      path.string() + ": at offset " + std::to_string(offset) + " " + std::string(what) +
      ". What this manager had promised to keep is lost: it must not take part again. Remove it "
      "from "
      "the swarm on another manager and let it join anew with an empty state folder; if it is the "
      "only one, restore the folder from a backup");
}

// Reads segments one after the other into the contents.
class Recovery {
 public:
  Recovery(FileSystem& files, SegmentFiles& segments, PayloadCipher& cipher)
      : files_(files), segments_(segments), cipher_(cipher) {}

  Result<LogContents> run() {
    SWARM_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, segments_.list());
    for (const uint64_t number : numbers) {
      SWARM_RETURN_IF_ERROR(read_segment(number, number == numbers.back()));
    }
    return std::move(contents_);
  }

 private:
  Status read_segment(uint64_t number, bool is_last) {
    path_ = segments_.path_of(number);
    SWARM_ASSIGN_OR_RETURN(const std::string bytes, read_file(files_, path_, kMaxSegmentBytes));
    const Result<SegmentHeader> header = decode_segment_header(bytes);
    if (!header.ok() || header->number != number) {
      return damage(path_, 0, "the segment header is damaged");
    }
    if (!contents_.is_empty()) {
      if (number != contents_.segment.number + 1) {
        return damage(path_, 0, "the segment before is missing");
      }
      if (header->previous_crc != contents_.last_crc) {
        return damage(segments_.path_of(contents_.segment.number), contents_.offset,
                      "a record is damaged or missing that the next segment follows");
      }
    }
    contents_.segment = *header;
    contents_.segment_size = bytes.size();
    contents_.last_crc = header->previous_crc;
    contents_.last_index_of[number] = Index();
    contents_.offset = SegmentHeader::kBytes;
    while (const std::optional<Record> record = next_record(bytes)) {
      SWARM_RETURN_IF_ERROR(replay(*record));
      contents_.last_crc = record->crc;
      contents_.offset += Record::framed_size(record->payload.size());
    }
    return is_last ? cut_torn_tail(bytes) : absl::OkStatus();
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
  Status cut_torn_tail(std::string_view bytes) {
    uint64_t end = contents_.offset;
    for (uint64_t at = contents_.offset; at < bytes.size(); at += Record::kAlignment) {
      const std::optional<Record> record = parse_record(bytes, at, contents_.segment.epoch);
      if (!record) {
        continue;
      }
      if (record->group_start > contents_.offset && !SWARM_MUTANT(corruption_cut)) {
        return damage(path_, contents_.offset, "a record is damaged that later ones follow");
      }
      end = at + Record::framed_size(record->payload.size());
    }
    if (end == contents_.offset || SWARM_MUTANT(torn_tail_kept)) {
      return absl::OkStatus();
    }
    SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files_.open(path_, OpenMode::write));
    SWARM_RETURN_IF_ERROR(
        file->write_at(contents_.offset, std::string(end - contents_.offset, '\0')));
    return file->sync();
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
    if (state.hard_state.term < contents_.hard_state.term) {
      return absl::DataLossError("the term goes down");
    }
    contents_.hard_state = state.hard_state;
    if (state.snapshot.resets_log) {
      contents_.entries.clear();
    }
    contents_.snapshot = state.snapshot;
    return absl::OkStatus();
  }

  Status replay_entries(std::string_view payload) {
    SWARM_ASSIGN_OR_RETURN(const std::string plain, cipher_.open(payload));
    ByteReader reader(plain);
    const Index first(reader.number());
    std::vector<Entry> entries = read_entries(reader, first);
    SWARM_RETURN_IF_ERROR(reader.finish("a record of entries"));
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
    if (!log.empty()) {
      Index& last = contents_.last_index_of[contents_.segment.number];
      last = std::max(last, log.back().index);
    }
    return absl::OkStatus();
  }

  FileSystem& files_;
  SegmentFiles& segments_;
  PayloadCipher& cipher_;
  std::filesystem::path path_;
  LogContents contents_;
};

}  // namespace

Result<LogContents> recover_log(FileSystem& files, SegmentFiles& segments, PayloadCipher& cipher) {
  return Recovery(files, segments, cipher).run();
}

}  // namespace swarm::raft
