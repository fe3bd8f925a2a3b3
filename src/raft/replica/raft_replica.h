#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "raft/core/raft_core.h"
#include "raft/replica/commit_notices.h"
#include "raft/replica/log_writer.h"
#include "raft/replica/member_storage.h"
#include "raft/replica/membership_queue.h"
#include "raft/replica/replica.h"
#include "raft/replica/snapshot_receiver.h"
#include "raft/replica/snapshot_sender.h"
#include "raft/replica/snapshot_taker.h"

namespace swarm::raft {

// Replica over RaftCore. Every input goes into the core at once; the effects of all inputs that are
// waiting are taken and carried out together, by a callback posted behind them. On the raft loop.
class RaftReplica final : public Replica {
 public:
  RaftReplica(ReplicaOptions options, EventLoop& loop, EventLoop& log_loop, FileSystem& files,
              Transport& transport, PayloadCipher& cipher, StateMachine& machine, Random random,
              MemberStorage storage);

  Status bootstrap(const std::string& address) override;
  Status force_alone(const std::string& address) override;
  void start() override;
  void receive(MemberId from, std::string message) override;
  void peer_refused(MemberId peer) override;
  using Replica::propose;
  void propose(Term term, std::string data, ProposalDone done) override;
  void applied(Index index) override;
  void confirm_leadership(absl::AnyInvocable<void(Status)> done) override;
  void read_index(absl::AnyInvocable<void(Result<Index>)> done) override;
  void add_member(Member member, absl::AnyInvocable<void(Status)> done) override;
  void remove_member(MemberId member, absl::AnyInvocable<void(Status)> done) override;
  void change_members(MembershipChanges changes, absl::AnyInvocable<void(Status)> done) override;
  void transfer_leadership(MemberId to, absl::AnyInvocable<void(Status)> done) override;
  std::vector<Member> members() const override;
  Progress progress() const override;
  ReplicaMetrics metrics() const override;

  // For inspection and for the invariants of the simulation.
  const RaftCore& core() const { return *core_; }

 private:
  // raft_replica.cpp
  void make_core();
  void on_tick();
  void on_storage_failed(const Status& status);
  void on_storage_stalled(const Status& status);
  void on_state_lost(Index lost);
  void on_storage_recovered();

  // replica_requests.cpp
  bool leads_in(Term term) const;
  bool holds_proposals() const;
  void release_proposals();
  void propose_now(Term term, std::string data, ProposalDone done);
  void finish_proposals(const std::vector<ProposalVerdict>& verdicts);
  void finish_reads(const Effects& effects);
  void serve_reads();
  void add_read(absl::AnyInvocable<void(Result<Index>)> done, bool waits_for_apply);

  // replica_effects.cpp
  void schedule_drive();
  void drive();
  void report_lost_leadership();
  void report_leader();
  void carry_out(Effects effects);
  void update_peers();
  void hand_to_apply(std::vector<Entry> entries);
  void report_trouble(const Effects& effects);
  void finish_transfer();

  // replica_snapshots.cpp
  void restore(const SnapshotMeta& meta);
  void on_snapshot_read(const SnapshotMeta& meta, Result<std::vector<std::string>> chunks);
  void send_snapshot(MemberId to);
  void maybe_take_snapshot();
  void on_snapshot_taken(const Result<SnapshotTaker::Taken>& taken);
  uint64_t snapshot_threshold() const;
  void remove_old_snapshots(const SnapshotMeta& kept);
  void compact_log();
  Index droppable() const;

  const ReplicaOptions options_;
  EventLoop& loop_;
  EventLoop& log_loop_;
  FileSystem& files_;
  Transport& transport_;
  PayloadCipher& cipher_;
  StateMachine& machine_;
  Random random_;
  MemberStorage storage_;  // until start; then only its paths
  std::unique_ptr<RaftCore> core_;
  std::unique_ptr<LogWriter> writer_;
  CommitNotices messages_;
  SnapshotTaker taker_;
  SnapshotSender sender_;
  SnapshotReceiver receiver_;
  MembershipQueue membership_;

  std::map<MemberId, std::string> peers_;  // as told to the transport
  std::optional<Term> announced_;          // the term of leadership_won, until leadership_lost
  MemberId told_leader_;
  std::vector<MemberId> told_missing_;
  struct Read {
    absl::AnyInvocable<void(Result<Index>)> done;
    bool waits_for_apply;
  };
  std::map<uint64_t, Read> reads_;
  uint64_t last_read_ = 0;
  // Those that wait until so much is applied.
  std::multimap<Index, absl::AnyInvocable<void(Result<Index>)>> confirmed_reads_;
  struct HeldProposal {
    Term term;
    std::string data;
    ProposalDone done;
  };
  std::vector<HeldProposal> held_;  // until the disk has written what came before
  size_t held_bytes_ = 0;
  std::map<uint64_t, ProposalDone> proposals_;
  uint64_t last_proposal_ = 0;
  absl::AnyInvocable<void(Status)> transfer_done_;
  Index newest_snapshot_;
  std::set<MemberId> awaiting_snapshot_;  // of entries that none covers so far
  uint64_t bytes_since_snapshot_ = 0;
  uint64_t snapshot_bytes_ = 0;  // the size of the last one
  TimePoint next_snapshot_{};    // after a failure
  struct HandedOut {
    Index up_to;
    TimePoint at;
  };
  std::deque<HandedOut> applying_;
  LatencyWindow fsync_;
  LatencyWindow apply_;
  LatencyWindow loop_lag_;
  TimePoint drive_posted_{};
  bool is_started_ = false;
  bool is_drive_posted_ = false;
  bool has_failed_ = false;
  Timer tick_;
  Timer campaign_;
  Anchor anchor_;
};

}  // namespace swarm::raft
