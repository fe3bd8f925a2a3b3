#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "raft/core/effects.h"
#include "raft/core/messages.h"
#include "raft/core/progress.h"
#include "raft/core/quorum.h"
#include "raft/core/quorum_watch.h"
#include "raft/core/raft_log.h"
#include "raft/core/read_queue.h"

namespace swarm::raft {

// The policy of the core. A tick is one heartbeat.
struct CoreOptions {
  MemberId self;
  uint64_t election_ticks = 10;  // T: an election starts 10 to 20 ticks after the last heartbeat
  uint64_t max_append_bytes = 1 << 20;
  size_t max_inflight_messages = 256;
  uint64_t max_inflight_bytes = 16 << 20;     // per peer
  uint64_t max_uncommitted_bytes = 64 << 20;  // further proposals are refused
  uint64_t max_apply_bytes = 4 << 20;         // handed to apply and not acknowledged
  // A leader whose storage (applier) acknowledges nothing for so long hands leadership over.
  uint64_t storage_stall_ticks = 20;
  uint64_t apply_stall_ticks = 200;
  // A peer that answers, but acknowledges no entries for so long, is reported as stuck.
  uint64_t stuck_ticks = 30;
};

// A follower whose leader's process is gone campaigns after up to this many ticks (T / 5).
inline constexpr uint64_t kRefusedDelayTicks = 2;

// What was found on disk.
struct InitialState {
  HardState hard_state;
  SnapshotMeta snapshot;
  std::vector<Entry> entries;  // after the snapshot, without a gap
};

// Raft as a pure state machine (Ongaro and Ousterhout 2014; Ongaro's thesis; the shape of
// etcd-io/raft with asynchronous storage): inputs are messages, ticks, requests and
// acknowledgements, the output is one batch of effects. No I/O, no clock, no thread, no log. It
// does not decide when to snapshot, and knows nothing of addresses beyond carrying them.
//
// Always on: pre-vote, check-quorum, vote stickiness, and an answer to leaders of old terms; each
// pair without the third has a known deadlock (etcd#8243, #8501).
//
// Messages in any order, duplicated or late, and well-formed messages that make no sense, are
// harmless. Broken invariants end the process. Belongs to one loop.
class RaftCore {
 public:
  RaftCore(const CoreOptions& options, InitialState initial, Random random);

  // Inputs.
  void step(MemberId from, Message message);
  void tick();
  // Starts an election by a pre-vote if this is a voter that does not lead.
  void campaign();
  // RESOURCE_EXHAUSTED past the bound of uncommitted bytes; FAILED_PRECONDITION when not the
  // leader. While leadership is being handed over, proposals wait for the outcome. With an `id`
  // that is not 0, Effects::verdicts says once what became of a proposal that was taken.
  Status propose(std::shared_ptr<const std::string> data, uint64_t id = 0);
  // All in one step; joint when more than one voter changes. The index of the entry that carries
  // them. FAILED_PRECONDITION when not the leader or the change is not possible; UNAVAILABLE while
  // another change is under way, nothing of this term is committed yet, a learner to promote lags,
  // or too few of the new voters answer for a quorum: try again.
  Result<Index> propose_membership(const MembershipChanges& changes);
  // Where other members reach this one: said to them until the configuration says so too.
  void announce_address(std::string address) { own_address_ = std::move(address); }
  // On any member, by its leader. Once Effects::reads_ready names `id`, whoever has applied the
  // index there serves what was committed before this call, or newer.
  void read_index(uint64_t id);
  // To the most advanced voter when `to` is empty.
  Status transfer_leadership(MemberId to);

  // Gives up leading, for want of room for what it was asked to do.
  void step_down();

  // Acknowledgements.
  void on_persisted(PersistSeq seq, LogMark mark);
  void on_applied(Index index);
  // Storage does not take writes (a full disk): hands leadership over, and does not campaign until
  // it does. A storage that is silent is noticed by the core itself.
  void on_storage_stalled(bool is_stalled);
  // A snapshot of the state at `index`, whose entry was of `term`, is durable: storage needs no
  // entry up to there any more.
  void on_snapshot_saved(Index index, Term term);
  // Drops the entries up to `index` <= applied() from memory. A peer that lacks one of them is
  // ordered a snapshot.
  void compact(Index index);
  // A leader's snapshot is durable.
  void on_snapshot_received(const SnapshotMeta& meta);
  void on_snapshot_sent(MemberId to);
  void on_peer_refused(MemberId peer);

  // Output; to be called after every input or batch of inputs.
  Effects take_effects();

  // State.
  Role role() const { return role_; }
  bool is_leader() const { return role_ == Role::leader; }
  Term term() const { return term_; }
  MemberId vote() const { return vote_; }
  MemberId leader() const { return leader_; }  // empty when unknown
  Index committed() const { return committed_; }
  Index stable() const { return stable_; }
  Index handed_to_apply() const { return handed_; }
  Index applied() const { return applied_; }
  uint64_t uncommitted_bytes() const { return uncommitted_bytes_; }  // as leader
  // Whether proposals of so many bytes would be accepted; one always is when nothing waits.
  bool has_room_for(uint64_t bytes) const {
    return uncommitted_bytes_ == 0 || uncommitted_bytes_ + bytes <= options_.max_uncommitted_bytes;
  }
  bool is_transferring() const { return !transferee_.is_empty(); }
  // Where this term of leadership began.
  Index first_of_term() const { return noop_; }
  const RaftLog& log() const { return log_; }
  const Configuration& configuration() const { return log_.configurations().latest(); }
  bool configuration_is_committed() const {
    return log_.configurations().latest_index() <= committed_;
  }
  bool is_only_voter() const { return quorum_.is_only(options_.self); }
  SnapshotMeta snapshot_meta(Index index) const;
  // As leader: members heard from within the last election timeout, itself included.
  std::vector<MemberId> reachable() const;
  const std::map<MemberId, Progress>& progress() const { return progress_; }
  // Without a leader: the voters that do not answer, when those that do are no quorum.
  const std::vector<MemberId>& missing_voters() const { return quorum_watch_.missing(); }

 private:
  struct Held {
    PersistSeq seq;
    Envelope envelope;
  };
  struct Handed {
    Index last;
    uint64_t bytes;
  };
  struct Proposal {
    uint64_t id;
    std::shared_ptr<const std::string> data;
  };
  struct Proposed {
    Index index;
    uint64_t id;
  };

  // raft_core.cpp: roles, durability, effects.
  void send(MemberId to, Message message);
  void send_when_durable(MemberId to, Message message);
  void become_follower(Term term, MemberId leader);
  void set_term(Term term);
  void set_leader(MemberId leader);
  void reset_election_timer();
  void commit_to(Index index);
  void append_local(EntryKind kind, std::shared_ptr<const std::string> data);
  void append_proposal(Proposal proposal);
  void give_up_proposals();
  void on_configuration_changed();
  void take_persist();
  void take_apply();
  void report_committed();

  // election.cpp
  bool accepts_term_of(MemberId from, const Message& message);
  bool is_sticky(MemberId from, const VoteRequest& request) const;
  void answer_old_term(MemberId from, const Message& message);
  bool may_campaign() const;
  void start_election(bool is_transfer);
  void ask_for_votes(bool is_pre_vote, bool is_transfer);
  void count_votes();
  void become_leader();
  void handle(MemberId from, const VoteRequest& request);
  void handle(MemberId from, const VoteReply& reply);
  void handle(MemberId from, const TimeoutNow& request);

  // follower.cpp
  void follow(MemberId leader);
  void handle(MemberId from, AppendEntries& append);
  void handle(MemberId from, const Heartbeat& heartbeat);
  void handle(MemberId from, SnapshotPart& part);
  void take_over_entries(std::vector<Entry>& entries);
  bool lacks(Index index, Term term) const;
  void give_up_for_good(Index lost);
  void owe_ack(Index index);
  void flush_ack();

  // leader.cpp
  void handle(MemberId from, const AppendReply& reply);
  void handle(MemberId from, const HeartbeatReply& reply);
  void handle(MemberId from, const SnapshotPartReply& reply);
  Progress* heard_from(MemberId from);
  void tick_leader();
  void check_quorum();
  bool is_reachable(MemberId id, const Progress& progress) const;
  void broadcast_heartbeat();
  void send_heartbeat(MemberId to, Progress& progress, bool wants_reply);
  void flush_leader();
  void send_appends(MemberId to, Progress& progress);
  void maybe_commit();

  // reads.cpp
  void flush_reads();
  void ask_for_read_index();
  void confirm_reads();
  void fail_reads();
  void handle(MemberId from, const ReadIndexRequest& request);
  void handle(MemberId from, const ReadIndexReply& reply);

  // membership.cpp
  void reset_progress();
  void sync_progress();
  Status may_change_membership() const;
  Result<Configuration> check_changes(const MembershipChanges& changes) const;
  Status check_reachable(const Configuration& next) const;
  void append_configuration(const Configuration& configuration);
  void leave_joint();
  void maybe_promote(MemberId learner, Progress& progress);
  void announce();
  void change_address(MemberId member, const std::string& address);
  void handle(MemberId from, const AddressAnnouncement& announcement);

  // transfer.cpp
  MemberId most_advanced() const;
  void begin_transfer(MemberId to);
  void maybe_hand_over();
  void end_transfer();
  void leave_office();
  void check_stalls();
  void watch_peer(MemberId id, Progress& progress);

  const CoreOptions options_;
  Random random_;

  // Durable.
  Term term_;
  MemberId vote_;
  RaftLog log_;

  // Everyone.
  Role role_ = Role::follower;
  MemberId leader_;
  Index committed_;
  Index stable_;   // durable here, consistent with log_term_
  Term log_term_;  // of the leader whose log ours is a prefix of
  Index handed_;   // to apply
  Index applied_;
  bool is_restoring_ = false;
  bool is_stalled_ = false;
  bool is_lost_ = false;  // its state is older than what it promised: it does nothing any more
  std::deque<Handed> applying_;
  uint64_t applying_bytes_ = 0;
  std::string own_address_;  // to be announced
  Quorum quorum_;
  QuorumWatch quorum_watch_;
  uint64_t clock_ = 0;    // ticks since the start
  uint64_t elapsed_ = 0;  // follower: since hearing the leader; leader: since checking the quorum
  uint64_t timeout_ = 0;
  // A candidate that asked for its vote holds less, and nobody leads.
  bool is_needed_elsewhere_ = false;
  // When storage and the applier acknowledged something last, or were given work after they had
  // none; by the clock.
  uint64_t storage_moved_ = 0;
  uint64_t apply_moved_ = 0;

  // Storage.
  HardState persisted_;  // as last handed out
  Index unpersisted_;    // the first entry not handed out
  LogMark handed_mark_;
  PersistSeq issued_ = 0;
  PersistSeq acknowledged_ = 0;
  std::optional<SnapshotMarker> marker_;
  Index release_to_;
  std::vector<Envelope> waiting_;  // for the operation of this batch
  std::deque<Held> held_;

  // Follower.
  std::optional<Index> ack_owed_;
  bool stable_moved_ = false;

  // Candidate.
  std::map<MemberId, bool> votes_;

  // Leader.
  std::map<MemberId, Progress> progress_;
  Index noop_;
  uint64_t uncommitted_bytes_ = 0;
  MemberId transferee_;
  uint64_t transfer_elapsed_ = 0;
  bool transfer_sent_ = false;
  bool leaves_office_ = false;  // whatever becomes of the transfer
  std::vector<Proposal> delayed_proposals_;
  std::deque<Proposed> proposed_;  // with an id, in the log, not handed to apply

  // Leader and follower.
  ReadQueue reads_;
  uint64_t read_context_;  // of this life

  Effects effects_;
};

}  // namespace swarm::raft
