#include "raft/replica/raft_replica.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "raft/core/codec.h"
#include "raft/log/log_scan.h"

namespace swarm::raft {

Result<std::unique_ptr<Replica>> Replica::open(ReplicaOptions options, EventLoop& loop,
                                               EventLoop& log_loop, FileSystem& files,
                                               Transport& transport, PayloadCipher& cipher,
                                               StateMachine& machine, Random random) {
  SWARM_ASSIGN_OR_RETURN(
      MemberStorage storage,
      open_member_storage({options.directory, options.segment_bytes, options.self, options.promises,
                           options.has_taken_part},
                          files, cipher, random.fork("log")));
  return std::unique_ptr<Replica>(
      std::make_unique<RaftReplica>(std::move(options), loop, log_loop, files, transport, cipher,
                                    machine, std::move(random), std::move(storage)));
}

RaftReplica::RaftReplica(ReplicaOptions options, EventLoop& loop, EventLoop& log_loop,
                         FileSystem& files, Transport& transport, PayloadCipher& cipher,
                         StateMachine& machine, Random random, MemberStorage storage)
    : options_(std::move(options)),
      loop_(loop),
      log_loop_(log_loop),
      files_(files),
      transport_(transport),
      cipher_(cipher),
      machine_(machine),
      random_(std::move(random)),
      storage_(std::move(storage)),
      messages_(loop,
                [this](const Envelope& envelope) {
                  transport_.send(envelope.to, encode(envelope.message));
                }),
      taker_(loop, log_loop, files, storage_.snapshots, cipher, machine),
      sender_(loop, log_loop, files, storage_.snapshots, cipher, options_.snapshot_bytes_per_second,
              {.send = [this](MemberId to,
                              const SnapshotPart& part) { transport_.send_bulk(to, encode(part)); },
               .ended =
                   [this](MemberId to) {
                     core_->on_snapshot_sent(to);
                     schedule_drive();
                   }}),
      receiver_(loop, log_loop, files, storage_.snapshots, cipher,
                {.reply = [this](MemberId to,
                                 SnapshotPartReply reply) { transport_.send(to, encode(reply)); },
                 .received =
                     [this](const SnapshotMeta& meta) {
                       core_->on_snapshot_received(meta);
                       schedule_drive();
                     },
                 .failed = [this](const Status& status) { on_storage_failed(status); }}),
      tick_(loop),
      campaign_(loop) {
  make_core();
}

void RaftReplica::make_core() {
  CoreOptions core = options_.limits == nullptr ? CoreOptions() : *options_.limits;
  core.self = options_.self;
  core_ = std::make_unique<RaftCore>(core, storage_.state, random_.fork("core"));
  newest_snapshot_ = storage_.state.snapshot.index;
  core_->announce_address(options_.address);
}

Status RaftReplica::bootstrap(const std::string& address) {
  SWARM_CHECK(!is_started_, "bootstrap comes before start");
  SWARM_RETURN_IF_ERROR(bootstrap_member(storage_, options_.self, address));
  make_core();
  return absl::OkStatus();
}

Status RaftReplica::force_alone(const std::string& address) {
  SWARM_CHECK(!is_started_, "force_alone comes before start");
  SWARM_RETURN_IF_ERROR(raft::force_alone(storage_, options_.self, address));
  make_core();
  return absl::OkStatus();
}

void RaftReplica::start() {
  SWARM_CHECK(!is_started_, "started twice");
  is_started_ = true;
  storage_.state = {};
  writer_ = std::make_unique<LogWriter>(
      loop_, log_loop_, std::shared_ptr<SegmentedLog>(std::move(storage_.log)),
      LogWriter::Events{.persisted =
                            [this](PersistSeq seq, LogMark mark) {
                              core_->on_persisted(seq, mark);
                              schedule_drive();
                            },
                        .synced = [this](Duration took) { fsync_.add(loop_.now(), took); },
                        .stalled = [this](const Status& status) { on_storage_stalled(status); },
                        .recovered = [this] { on_storage_recovered(); },
                        .failed = [this](const Status& status) { on_storage_failed(status); }});
  if (core_->is_only_voter()) {
    core_->campaign();  // there is nobody to wait for
  }
  tick_.set_after(options_.tick, [this] { on_tick(); });
  schedule_drive();
}

void RaftReplica::on_tick() {
  tick_.set_after(options_.tick, [this] { on_tick(); });
  core_->tick();
  sender_.tick();
  drive();
}

void RaftReplica::receive(MemberId from, std::string message) {
  if (!is_started_) {
    return;
  }
  Result<Message> decoded = decode_message(message);
  if (!decoded.ok()) {
    log::warning("a raft message was refused",
                 {{"member", from.value()}, {"reason", std::string(decoded.status().message())}});
    return;
  }
  core_->step(from, *std::move(decoded));
  schedule_drive();
}

void RaftReplica::peer_refused(MemberId peer) {
  if (is_started_) {
    core_->on_peer_refused(peer);
    schedule_drive();
  }
}

void RaftReplica::on_storage_failed(const Status& status) {
  has_failed_ = true;
  if (options_.on_storage_failure) {
    options_.on_storage_failure(status);
    return;
  }
  log::error("the disk failed: ending, since it is unknown what it holds",
             {{"reason", std::string(status.message())}});
  SWARM_CHECK(false, std::string(status.message()));
}

// Written down before it is told: a restart must not begin by voting again.
void RaftReplica::on_state_lost(Index lost) {
  const std::string reason = "the raft log is an older copy: the leader counts on entry " +
                             std::to_string(lost.value()) +
                             ", which this manager acknowledged and does not have";
  log::error("this manager takes part no longer", {{"reason", reason}});
  has_failed_ = true;
  writer_->refuse(reason, [this, reason](const Status& written) {
    if (!written.ok()) {
      on_storage_failed(written);
    } else if (options_.on_state_lost) {
      options_.on_state_lost(
          absl::DataLossError(options_.directory.string() + ": " + reason + ". " + kDamageCure));
    }
  });
}

void RaftReplica::on_storage_stalled(const Status& status) {
  log::error("the disk is full: no writes are accepted until there is room",
             {{"reason", std::string(status.message())}});
  core_->on_storage_stalled(true);
  schedule_drive();
}

void RaftReplica::on_storage_recovered() {
  log::info("the disk has room again");
  core_->on_storage_stalled(false);
  if (core_->is_only_voter()) {
    core_->campaign();
  }
  schedule_drive();
}

}  // namespace swarm::raft
