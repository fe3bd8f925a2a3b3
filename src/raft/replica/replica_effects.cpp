// What the core asks for, carried out.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "raft/core/codec.h"
#include "raft/replica/raft_replica.h"

namespace swarm::raft {

namespace {

// After a snapshot failed (a full disk) the next try waits.
constexpr Duration kSnapshotRetry = seconds(30);
// Entries that a reachable follower still needs are kept until the log is so many snapshots large.
constexpr uint64_t kPatience = 4;

}  // namespace

// Behind everything that is already waiting on the loop, so that one batch of effects answers it
// all.
void RaftReplica::schedule_drive() {
  if (!is_started_ || std::exchange(is_drive_posted_, true)) {
    return;
  }
  drive_posted_ = loop_.now();
  loop_.post(anchor_.bind([this] {
    is_drive_posted_ = false;
    loop_lag_.add(loop_.now(), loop_.now() - drive_posted_);
    drive();
  }));
}

void RaftReplica::drive() {
  if (has_failed_) {
    return;
  }
  if (!holds_proposals()) {
    release_proposals();
  }
  membership_.drive(*core_, loop_.now());
  Effects effects = core_->take_effects();
  // Before anything of another leader is applied: the store undoes its head first.
  report_lost_leadership();
  carry_out(std::move(effects));
  finish_transfer();
  report_leader();
  maybe_take_snapshot();
}

void RaftReplica::report_lost_leadership() {
  if (!announced_ || (core_->is_leader() && core_->term() == *announced_)) {
    return;
  }
  const Term term = *std::exchange(announced_, std::nullopt);
  log::info("leadership lost", {{"term", term.value()}});
  sender_.stop_all();
  machine_.leadership_lost(term);
}

void RaftReplica::report_leader() {
  if (core_->leader() != told_leader_) {
    told_leader_ = core_->leader();
    log::info("leader changed",
              {{"leader", told_leader_.value()}, {"term", core_->term().value()}});
    machine_.leader_changed(told_leader_.is_empty() ? std::nullopt : std::optional(told_leader_));
  }
  if (!core_->is_leader()) {
    membership_.on_leadership_lost();
  } else if (!announced_ && core_->handed_to_apply() >= core_->first_of_term()) {
    announced_ = core_->term();
    log::info("leadership won", {{"term", announced_->value()}});
    machine_.leadership_won(*announced_);
  }
}

void RaftReplica::carry_out(Effects effects) {
  if (effects.configuration_changed) {
    update_peers();
  }
  for (const Envelope& envelope : effects.send) {
    messages_.send(envelope);
  }
  if (effects.persist) {
    writer_->submit(*std::move(effects.persist));
  }
  if (effects.restore) {
    restore(*effects.restore);
  }
  if (!effects.apply.empty()) {
    hand_to_apply(std::move(effects.apply));
  }
  for (const SnapshotOrder& order : effects.snapshots) {
    sender_.start(order.to, core_->term(), core_->log().base());
  }
  for (ReceivedPart& received : effects.parts) {
    receiver_.on_part(received.from, std::move(received.part));
  }
  for (const ReceivedPartReply& received : effects.part_replies) {
    sender_.on_reply(received.from, received.reply);
  }
  if (effects.campaign_soon) {
    // Chance keeps those who saw the same refusal from campaigning at the same instant.
    const auto range = static_cast<uint64_t>((options_.tick * kRefusedDelayTicks).count());
    campaign_.set_after(Duration(random_.below(range + 1)), [this] {
      if (core_->leader().is_empty() && core_->role() == Role::follower) {
        core_->campaign();
        drive();
      }
    });
  }
  report_trouble(effects);
  finish_proposals(effects.verdicts);
  finish_reads(effects);
}

void RaftReplica::report_trouble(const Effects& effects) {
  for (const MemberId peer : effects.stuck_peers) {
    log::warning("a manager answers, but has not acknowledged entries for long",
                 {{"member", peer.value()}});
    transport_.reset_peer(peer);
  }
  if (effects.stall != Stall::none) {
    log::warning("leadership is handed over: this manager is too slow",
                 {{"stuck", effects.stall == Stall::storage ? "disk" : "state machine"},
                  {"term", core_->term().value()}});
  }
}

void RaftReplica::update_peers() {
  std::map<MemberId, std::string> wanted;
  const Configuration& configuration = core_->configuration();
  for (const std::vector<Member>* const members :
       {&configuration.members, &configuration.outgoing}) {
    for (const Member& member : *members) {
      if (member.id != options_.self) {
        wanted.emplace(member.id, member.address);
      }
    }
  }
  for (const auto& [id, address] : peers_) {
    if (!wanted.contains(id)) {
      transport_.remove_peer(id);
      sender_.forget(id);
    }
  }
  for (const auto& [id, address] : wanted) {
    const auto known = peers_.find(id);
    if (known == peers_.end() || known->second != address) {
      transport_.set_peer(id, address);
    }
  }
  peers_ = std::move(wanted);
}

void RaftReplica::hand_to_apply(std::vector<Entry> entries) {
  const Index up_to = entries.back().index;
  std::vector<CommittedEntry> commands;
  for (Entry& entry : entries) {
    bytes_since_snapshot_ += entry.bytes();
    membership_.on_committed(entry);
    if (entry.kind == EntryKind::command) {
      commands.push_back({entry.term, entry.index, std::move(entry.data)});
    }
  }
  applying_.push_back({up_to, loop_.now()});
  machine_.apply(std::move(commands), up_to);
}

void RaftReplica::restore(const SnapshotMeta& meta) {
  log::info("restoring a snapshot", {{"index", meta.index.value()}, {"term", meta.term.value()}});
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

void RaftReplica::maybe_take_snapshot() {
  if (bytes_since_snapshot_ < snapshot_threshold() || taker_.is_taking() ||
      core_->applied() <= core_->log().base() || loop_.now() < next_snapshot_) {
    return;
  }
  bytes_since_snapshot_ = 0;
  taker_.take(
      core_->applied(),
      [this](Index index) -> std::optional<SnapshotMeta> {
        if (index <= core_->log().base()) {
          return std::nullopt;
        }
        return core_->snapshot_meta(index);
      },
      [this](const Result<SnapshotTaker::Taken>& taken) { on_snapshot_taken(taken); });
}

// A snapshot is worth taking when the log has grown by as much as it would hold.
uint64_t RaftReplica::snapshot_threshold() const {
  return std::max(options_.snapshot_log_bytes, snapshot_bytes_);
}

void RaftReplica::on_snapshot_taken(const Result<SnapshotTaker::Taken>& taken) {
  if (!taken.ok()) {
    log::warning("a snapshot was not taken", {{"reason", std::string(taken.status().message())}});
    next_snapshot_ = loop_.now() + kSnapshotRetry;
    bytes_since_snapshot_ = snapshot_threshold();
    return;
  }
  const SnapshotMeta& meta = taken->meta;
  if (meta.index <= core_->log().base()) {
    return;  // a leader's snapshot came meanwhile
  }
  log::debug("snapshot taken", {{"index", meta.index.value()}});
  snapshot_bytes_ = taken->bytes;
  core_->on_applied(meta.index);
  core_->on_snapshot_saved(meta.index, compact_to(meta.index));
  remove_old_snapshots(meta);
  schedule_drive();
}

// A follower that was away for a moment catches up by entries: some stay behind the snapshot. What
// a reachable one still needs stays longer, or under steady writes it would get one snapshot after
// the other and never arrive.
Index RaftReplica::compact_to(Index snapshot) const {
  const RaftLog& log = core_->log();
  const uint64_t kept = options_.snapshot_log_bytes / 2;
  uint64_t bytes = 0;
  Index index = snapshot;
  while (index > log.base() && bytes + log.at(index).bytes() <= kept) {
    bytes += log.at(index).bytes();
    index = before(index);
  }
  if (!core_->is_leader() || log.bytes() > kPatience * snapshot_threshold()) {
    return index;
  }
  for (const MemberId id : core_->reachable()) {
    const raft::Progress& progress = core_->progress().at(id);
    if (progress.state() != raft::Progress::State::snapshot) {
      index = std::min(index, progress.match());
    }
  }
  return std::max(log.base(), std::min(index, sender_.oldest().value_or(index)));
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
