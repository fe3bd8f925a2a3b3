// The state machine's snapshots, and what the log keeps because of them.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "raft/core/mutants.h"
#include "raft/log/snapshot_file.h"
#include "raft/replica/raft_replica.h"

namespace swarm::raft {

namespace {

// After a snapshot failed (a full disk) the next try waits.
constexpr Duration kSnapshotRetry = seconds(30);
// A snapshot is worth taking when the log has grown by so many of the last one: more of them cost
// writing, fewer cost room on disk and time at a start (Ongaro, "Consensus: Bridging Theory and
// Practice", 5.1.3).
constexpr uint64_t kExpansion = 2;
// Entries that a reachable follower still needs are kept until the log is so many snapshots large.
constexpr uint64_t kPatience = 4;

}  // namespace

void RaftReplica::restore(const SnapshotMeta& meta) {
  log::info("restoring a snapshot", {{"index", meta.index.value()}, {"term", meta.term.value()}});
  newest_snapshot_ = meta.index;
  bytes_since_snapshot_ = 0;
  auto done = anchor_.bind([this, meta](Result<std::vector<std::string>> chunks) {
    on_snapshot_read(meta, std::move(chunks));
  });
  const std::filesystem::path path = snapshot_path(storage_.snapshots, meta.index, meta.term);
  log_loop_.post(
      [&loop = loop_, &files = files_, &cipher = cipher_, path, done = std::move(done)]() mutable {
        Result<std::vector<std::string>> chunks = std::vector<std::string>();
        Result<std::unique_ptr<SnapshotReader>> reader = SnapshotReader::open(files, path, cipher);
        chunks = reader.ok() ? read_snapshot(**reader) : reader.status();
        loop.post([done = std::move(done), chunks = std::move(chunks)]() mutable {
          done(std::move(chunks));
        });
      });
}

void RaftReplica::on_snapshot_read(const SnapshotMeta& meta,
                                   Result<std::vector<std::string>> chunks) {
  if (!chunks.ok()) {
    on_storage_failed(chunks.status());
    return;
  }
  snapshot_bytes_ = 0;
  for (const std::string& chunk : *chunks) {
    snapshot_bytes_ += chunk.size();
  }
  auto restored = anchor_.bind([this, meta](const Status& status) {
    if (!status.ok()) {
      on_storage_failed(status);
      return;
    }
    remove_old_snapshots(meta);
    applied(meta.index);
  });
  // The machine may answer on a loop of its own.
  machine_.restore(
      meta.index, *std::move(chunks),
      [&loop = loop_, restored = std::move(restored)](const Status& status) mutable {
        loop.post([restored = std::move(restored), status]() mutable { restored(status); });
      });
}

// Entries leave memory before a snapshot covers them: then a new one is made first.
void RaftReplica::send_snapshot(MemberId to) {
  if (newest_snapshot_ < core_->log().base() && !SWARM_MUTANT(gap_behind_snapshot)) {
    awaiting_snapshot_.insert(to);
  } else {
    sender_.start(to, core_->term(), core_->log().base());
  }
}

void RaftReplica::maybe_take_snapshot() {
  if (!core_->is_leader()) {
    awaiting_snapshot_.clear();
  }
  const bool is_wanted =
      bytes_since_snapshot_ >= snapshot_threshold() || !awaiting_snapshot_.empty();
  if (!is_wanted || taker_.is_taking() || core_->applied() <= newest_snapshot_ ||
      loop_.now() < next_snapshot_) {
    return;
  }
  bytes_since_snapshot_ = 0;
  taker_.take(
      core_->applied(),
      [this](Index index) -> std::optional<SnapshotMeta> {
        if (index <= newest_snapshot_) {
          return std::nullopt;
        }
        return core_->snapshot_meta(index);
      },
      [this](const Result<SnapshotTaker::Taken>& taken) { on_snapshot_taken(taken); });
}

uint64_t RaftReplica::snapshot_threshold() const {
  return std::max(options_.snapshot_log_bytes, kExpansion * snapshot_bytes_);
}

void RaftReplica::on_snapshot_taken(const Result<SnapshotTaker::Taken>& taken) {
  if (!taken.ok()) {
    log::warning("a snapshot was not taken", {{"reason", std::string(taken.status().message())}});
    next_snapshot_ = loop_.now() + kSnapshotRetry;
    bytes_since_snapshot_ = snapshot_threshold();
    return;
  }
  const SnapshotMeta& meta = taken->meta;
  if (meta.index <= newest_snapshot_) {
    return;  // a leader's snapshot came meanwhile
  }
  log::debug("snapshot taken", {{"index", meta.index.value()}});
  newest_snapshot_ = meta.index;
  snapshot_bytes_ = taken->bytes;
  core_->on_applied(meta.index);
  core_->on_snapshot_saved(meta.index, meta.term);
  remove_old_snapshots(meta);
  for (const MemberId to : std::exchange(awaiting_snapshot_, {})) {
    send_snapshot(to);
  }
  schedule_drive();
}

// Not while a snapshot is made for somebody, who will need what follows it, nor while it is open
// which entry one will end with.
void RaftReplica::compact_log() {
  const RaftLog& log = core_->log();
  if (log.bytes() <= options_.snapshot_log_bytes || taker_.is_choosing() ||
      !awaiting_snapshot_.empty()) {
    return;
  }
  // A follower that was away for a moment catches up by entries: some stay.
  const uint64_t kept = options_.snapshot_log_bytes / 2;
  const Index limit = droppable();
  uint64_t bytes = log.bytes();
  Index index = log.base();
  while (index < limit && bytes - log.at(after(index)).bytes() >= kept) {
    index = after(index);
    bytes -= log.at(index).bytes();
  }
  if (index > log.base()) {
    core_->compact(index);
  }
}

// What a reachable follower still needs stays, or under steady writes it would get one snapshot
// after the other and never arrive.
Index RaftReplica::droppable() const {
  const RaftLog& log = core_->log();
  Index index = core_->applied();
  const uint64_t patience = kPatience * std::max(options_.snapshot_log_bytes, snapshot_bytes_);
  if (!core_->is_leader() || log.bytes() > patience) {
    return index;
  }
  for (const MemberId id : core_->reachable()) {
    const raft::Progress& progress = core_->progress().at(id);
    const bool gets_snapshot = progress.state() == raft::Progress::State::snapshot;
    index = std::min(index, gets_snapshot ? progress.snapshot() : progress.match());
  }
  return index;
}

// After a crash the newest snapshot file counts, whatever the log says of older ones.
void RaftReplica::remove_old_snapshots(const SnapshotMeta& kept) {
  log_loop_.post([&files = files_, directory = storage_.snapshots,
                  path = snapshot_path(storage_.snapshots, kept.index, kept.term)] {
    const Status removed = remove_older_snapshots(files, directory, path);
    if (!removed.ok()) {
      log::warning("an old snapshot stays on disk", {{"reason", std::string(removed.message())}});
    }
  });
}

}  // namespace swarm::raft
