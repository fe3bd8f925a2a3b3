#include "raft/replica/raft_replica.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "raft/core/codec.h"

namespace swarm::raft {

namespace {

// A membership change that cannot be begun for so long is refused.
constexpr Duration kMembershipPatience = seconds(5);

}  // namespace

Result<std::unique_ptr<Replica>> Replica::open(ReplicaOptions options, EventLoop& loop,
                                               EventLoop& log_loop, FileSystem& files,
                                               Transport& transport, PayloadCipher& cipher,
                                               StateMachine& machine, Random random) {
  SWARM_ASSIGN_OR_RETURN(MemberStorage storage,
                         open_member_storage(options.directory, options.segment_bytes, files,
                                             cipher, random.fork("log")));
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
      taker_(loop, log_loop, files, storage_.snapshots, cipher, machine),
      sender_(loop, log_loop, files, storage_.snapshots, cipher,
              {.send = [this](MemberId to,
                              SnapshotPart part) { transport_.send(to, encode(std::move(part))); },
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
}

Status RaftReplica::bootstrap(const std::string& address) {
  SWARM_CHECK(!is_started_, "bootstrap comes before start");
  SWARM_RETURN_IF_ERROR(bootstrap_member(storage_, options_.self, address));
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

void RaftReplica::propose(Term term, std::string data) {
  if (!core_->is_leader() || core_->term() != term) {
    return;
  }
  const Status proposed = core_->propose(std::make_shared<const std::string>(std::move(data)));
  if (!proposed.ok()) {
    // Whoever proposed builds the next on this one: to go on leading without it would be wrong.
    log::error("leadership was given up",
               {{"term", term.value()}, {"reason", std::string(proposed.message())}});
    core_->step_down();
  }
  schedule_drive();
}

void RaftReplica::applied(Index index) {
  core_->on_applied(index);
  schedule_drive();
}

void RaftReplica::confirm_leadership(absl::AnyInvocable<void(Status)> done) {
  reads_.emplace(++last_read_, std::move(done));
  core_->read_index(last_read_);
  schedule_drive();
}

void RaftReplica::add_member(Member member, absl::AnyInvocable<void(Status)> done) {
  const MembershipChange change{MembershipChange::Kind::add_learner, member.id,
                                std::move(member.address)};
  membership_.add(change, loop_.now() + kMembershipPatience, std::move(done));
  schedule_drive();
}

void RaftReplica::remove_member(MemberId member, absl::AnyInvocable<void(Status)> done) {
  const MembershipChange change{MembershipChange::Kind::remove, member, {}};
  membership_.add(change, loop_.now() + kMembershipPatience, std::move(done));
  schedule_drive();
}

void RaftReplica::transfer_leadership(MemberId to, absl::AnyInvocable<void(Status)> done) {
  const Status begun = core_->transfer_leadership(to);
  if (!begun.ok()) {
    done(begun);
    return;
  }
  transfer_done_ = std::move(done);
  schedule_drive();
}

std::vector<Member> RaftReplica::members() const {
  return core_->configuration().members;
}

Replica::Progress RaftReplica::progress() const {
  Progress progress;
  progress.term = core_->term();
  progress.is_leader = core_->is_leader();
  progress.leader = core_->leader();
  progress.committed = core_->committed();
  progress.applied = core_->applied();
  progress.last = core_->log().last();
  progress.reachable = core_->reachable();
  return progress;
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
