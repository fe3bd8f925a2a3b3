#include "raft/log/segmented_log.h"

#include <algorithm>

#include "base/check.h"
#include "raft/core/codec.h"
#include "raft/core/mutants.h"
#include "raft/log/log_recovery.h"

namespace swarm::raft {

namespace {

// A record is read and checked as one piece, so large groups are cut.
constexpr uint64_t kMaxRecordBytes = 1 << 20;

std::string encode_entries(std::span<const Entry> entries) {
  ByteWriter writer;
  uint64_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += entry.bytes();
  }
  writer.reserve(bytes);
  writer.number(entries.front().index.value());
  write_entries(writer, entries);
  return writer.take();
}

size_t entries_of_one_record(std::span<const Entry> entries) {
  uint64_t bytes = 0;
  size_t count = 0;
  while (count < entries.size() &&
         (count == 0 || bytes + entries[count].bytes() <= kMaxRecordBytes)) {
    bytes += entries[count].bytes();
    ++count;
  }
  return count;
}

// Whoever would write these has lost track of what this member promised; going on would let it vote
// twice in a term.
void check_promises(const HardState& now, const HardState& next) {
  SWARM_CHECK(next.term >= now.term, "the term on disk would go down from " +
                                         std::to_string(now.term.value()) + " to " +
                                         std::to_string(next.term.value()));
  SWARM_CHECK(next.term > now.term || now.vote.is_empty() || next.vote == now.vote,
              "the vote on disk would change within term " + std::to_string(now.term.value()));
  SWARM_CHECK(next.commit >= now.commit, "the commit index on disk would go down");
}

template <class Records>
uint64_t size_of(const Records& records) {
  uint64_t size = 0;
  for (const auto& record : records) {
    size += Record::framed_size(record.payload.size());
  }
  return size;
}

// Whether the log is the one that the promises are about, and says no less than they do.
Status check_log(const LogOptions& options, const LogContents& contents, const Promises& promises) {
  const std::string folder = options.directory.parent_path().string();
  const auto refuse = [&folder](const std::string& what) {
    return absl::DataLossError(folder + ": " + what + ". " + kDamageCure);
  };
  const HardState& now = contents.hard_state;
  const HardState& then = promises.hard_state;
  if (!promises.refusal.empty()) {
    return refuse(promises.refusal);
  }
  if (contents.is_empty()) {
    return refuse("the raft log is missing");
  }
  if (promises.log != contents.segment.log || promises.member != options.member) {
    return refuse("this is the raft log of another member");
  }
  if (now.term < then.term ||
      (now.term == then.term && !then.vote.is_empty() && now.vote != then.vote)) {
    return refuse("the raft log is an older copy: it ends in term " +
                  std::to_string(now.term.value()) + ", this manager has voted in term " +
                  std::to_string(then.term.value()));
  }
  return absl::OkStatus();
}

}  // namespace

SegmentedLog::SegmentedLog(const LogOptions& options, FileSystem& files, PayloadCipher& cipher,
                           Random random)
    : cipher_(cipher),
      segments_(files, options.directory, options.segment_bytes),
      member_(options.member),
      random_(std::move(random)) {
  if (!options.promises.empty()) {
    promise_file_.emplace(files, options.promises);
  }
}

Result<SegmentedLog::Opened> SegmentedLog::open(LogOptions options, FileSystem& files,
                                                PayloadCipher& cipher, Random random) {
  std::unique_ptr<SegmentedLog> log(new SegmentedLog(options, files, cipher, std::move(random)));
  std::optional<Promises> promises;
  if (log->promise_file_) {
    SWARM_ASSIGN_OR_RETURN(promises, log->promise_file_->read());
  }
  SWARM_RETURN_IF_ERROR(log->segments_.prepare());
  SWARM_ASSIGN_OR_RETURN(LogContents contents, recover_log(files, log->segments_, cipher));
  if (promises) {
    if (!SWARM_MUTANT(lost_state_ignored)) {
      SWARM_RETURN_IF_ERROR(check_log(options, contents, *promises));
    }
    log->promised_ = promises->hard_state;
  }
  log->state_ = {contents.hard_state, contents.snapshot};
  log->state_.snapshot.resets_log = false;
  log->segment_ = contents.segment;
  log->offset_ = contents.offset;
  log->last_crc_ = contents.last_crc;
  log->last_index_of_ = contents.last_index_of;
  if (!contents.is_empty()) {
    SWARM_ASSIGN_OR_RETURN(
        log->file_, files.open(log->segments_.path_of(contents.segment.number), OpenMode::direct));
  }
  if (!contents.is_empty()) {
    // A crash may have come between a write and its promise.
    SWARM_RETURN_IF_ERROR(log->keep_promises(false));
  }
  return Opened{std::move(log), std::move(contents), std::move(promises)};
}

void SegmentedLog::encode_op(const PersistOp& op, StateRecord& state,
                             std::vector<Pending>& records) const {
  if (op.hard_state || op.snapshot) {
    if (op.hard_state) {
      check_promises(state.hard_state, *op.hard_state);
      state.hard_state = *op.hard_state;
    }
    if (op.snapshot) {
      state.snapshot = *op.snapshot;
    }
    records.push_back({RecordType::state, encode(state)});
    state.snapshot.resets_log = false;
  }
  std::span<const Entry> rest = op.entries;
  while (!rest.empty()) {
    const size_t count = entries_of_one_record(rest);
    records.push_back({RecordType::entries, cipher_.seal(encode_entries(rest.first(count)))});
    rest = rest.subspan(count);
  }
}

Status SegmentedLog::append(std::span<const PersistOp> group) {
  StateRecord state = state_;
  std::vector<Pending> records;
  Index last;
  for (const PersistOp& op : group) {
    encode_op(op, state, records);
    if (!op.entries.empty()) {
      last = std::max(last, op.entries.back().index);
    }
  }
  if (records.empty()) {
    return absl::OkStatus();
  }
  // A segment begins with the state as it stands, so that older ones can go.
  const Pending first{RecordType::state, encode(state_)};
  uint64_t size = size_of(records);
  const bool is_fresh = offset_ == SegmentHeader::kBytes;
  const uint64_t needed = size + (is_fresh ? size_of(std::span(&first, 1)) : 0);
  bool begins_segment = false;
  if (file_ == nullptr || offset_ + needed > segment_.file_bytes) {
    SWARM_RETURN_IF_ERROR(begin_segment(size_of(std::span(&first, 1)) + size));
    begins_segment = true;
  }
  if (offset_ == SegmentHeader::kBytes) {
    records.insert(records.begin(), first);
    size = size_of(records);
  }
  std::string bytes;
  bytes.reserve(size);
  uint32_t crc = last_crc_;
  const auto group_start = static_cast<uint32_t>(offset_);
  for (const Pending& record : records) {
    crc = append_record(bytes, segment_, record.type, crc, group_start, record.payload);
  }
  SWARM_RETURN_IF_ERROR(file_->write_at(offset_, bytes));
  Status synced = SWARM_MUTANT(log_not_synced) ? absl::OkStatus() : file_->sync();
  if (!synced.ok() && SWARM_MUTANT(failed_sync_retried)) {
    synced = file_->sync();
  }
  SWARM_RETURN_IF_ERROR(synced);
  offset_ += bytes.size();
  last_crc_ = crc;
  state_ = state;
  Index& last_of_segment = last_index_of_[segment_.number];
  last_of_segment = std::max(last_of_segment, last);
  return keep_promises(begins_segment);
}

// Before the group is acknowledged, and with it a term or a vote that others will count on.
Status SegmentedLog::keep_promises(bool begins_segment) {
  const HardState& now = state_.hard_state;
  if (!promise_file_ || (promised_ && promised_->term == now.term && promised_->vote == now.vote &&
                         !begins_segment)) {
    return absl::OkStatus();
  }
  return write_promises();
}

Status SegmentedLog::write_promises() {
  SWARM_RETURN_IF_ERROR(promise_file_->write({member_, segment_.log, state_.hard_state, refusal_}));
  promised_ = state_.hard_state;
  return absl::OkStatus();
}

Status SegmentedLog::refuse(const std::string& reason) {
  refusal_ = reason;
  return promise_file_ ? write_promises() : absl::OkStatus();
}

// Everything in the segment before is durable, so the new one may follow it.
Status SegmentedLog::begin_segment(uint64_t bytes) {
  SegmentHeader header;
  header.number = segment_.number + 1;
  header.epoch = random_.next();
  header.file_bytes = std::max(SegmentHeader::kBytes + bytes, segments_.segment_bytes());
  header.previous_crc = last_crc_;
  header.log = segment_.log == 0 ? random_.next() | 1 : segment_.log;
  SWARM_CHECK(header.file_bytes <= SegmentHeader::kMaxFileBytes,
              "a group of " + std::to_string(bytes) + " bytes is too large for a segment");
  SWARM_ASSIGN_OR_RETURN(file_, segments_.create(header));
  segment_ = header;
  offset_ = SegmentHeader::kBytes;
  last_index_of_[header.number] = Index();
  return absl::OkStatus();
}

Status SegmentedLog::release_until(Index index) {
  while (!last_index_of_.empty()) {
    const auto oldest = last_index_of_.begin();
    if (oldest->first == segment_.number || oldest->second > index) {
      break;
    }
    SWARM_RETURN_IF_ERROR(segments_.retire(oldest->first));
    last_index_of_.erase(oldest);
  }
  return absl::OkStatus();
}

}  // namespace swarm::raft
