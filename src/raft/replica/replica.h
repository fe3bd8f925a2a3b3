#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "raft/core/configuration.h"
#include "raft/core/transport.h"
#include "raft/core/types.h"
#include "raft/log/payload_cipher.h"
#include "raft/replica/metrics.h"
#include "raft/replica/state_machine.h"

namespace swarm::raft {

struct CoreOptions;

struct ReplicaOptions {
  MemberId self;
  std::filesystem::path directory;  // of the log and the snapshots
  // Beside the directory, and whether this member was in the group before: StorageOptions.
  std::filesystem::path promises{};
  bool has_taken_part = false;
  Duration tick = milliseconds(50);  // = heartbeat; an election takes 10 to 20 ticks
  // Log bytes after which a snapshot is taken, unless the last one was larger; of what is applied,
  // half as many stay in memory for followers that were away (tiny in tests).
  uint64_t snapshot_log_bytes = 16 << 20;
  uint64_t segment_bytes = 8 << 20;  // of the files of the log
  // The limits of the core (tiny in tests); null for the defaults. Its `self` is the one above.
  std::shared_ptr<const CoreOptions> limits;
  // Where other members reach this one. Announced to them while the configuration says otherwise;
  // empty: not announced.
  std::string address;
  uint64_t snapshot_bytes_per_second = 64 << 20;  // sent to all peers together
  // Told on the raft loop when what the disk holds is unknown (a failed write or sync). Must end
  // the process, which it does when empty; the simulation ends the simulated one.
  std::function<void(const Status&)> on_storage_failure;
  // Told on the raft loop when the leader counts on more than this member has: its state was
  // replaced by an older copy. It takes part no longer, also after a restart.
  std::function<void(const Status&)> on_state_lost;
};

// One member of the Raft group: drives the pure core over a log, a transport and a state machine.
// Lives on the raft loop, which never waits for anything: writes and fsyncs run on `log_loop`.
//
// A full disk: leadership is given up, nothing is acknowledged, and writing is tried again every
// second. Any other error of a write or sync ends the process. Damage that is not a torn tail, and
// a log that holds less than this member promised, are refused by `open` with DATA_LOSS, naming the
// file and the cure.
class Replica {
 public:
  // `loop` and `log_loop` may be the same (simulation). The loops, `files` and `cipher` must
  // outlive what is posted to `log_loop`; `transport` and `machine` the replica. `cipher` seals
  // what is written to disk.
  static Result<std::unique_ptr<Replica>> open(ReplicaOptions options, EventLoop& loop,
                                               EventLoop& log_loop, FileSystem& files,
                                               Transport& transport, PayloadCipher& cipher,
                                               StateMachine& machine, Random random);
  virtual ~Replica() = default;

  // Writes the first entries of a new group of one: this member at `address`. Before start, on an
  // empty directory only.
  virtual Status bootstrap(const std::string& address) = 0;
  // Makes this the only member of its group, which lost its quorum for good, by an entry of the log
  // (member_storage.h, force_alone). Before start.
  virtual Status force_alone(const std::string& address) = 0;
  // A member that was added by a leader starts empty and waits to hear from it.
  virtual void start() = 0;

  // Everything below on the raft loop.
  virtual void receive(MemberId from, std::string message) = 0;
  virtual void peer_refused(MemberId peer) = 0;  // its process is gone: campaign early if it led

  // Says once what became of it: committed (and handed to the state machine), dropped (this member
  // does not lead in `term`, or too much waits to be committed), or unknown.
  using ProposalDone = absl::AnyInvocable<void(ProposalOutcome)>;
  virtual void propose(Term term, std::string data, ProposalDone done) = 0;
  // For who hears the outcome from the state machine, and builds the next proposal on this one:
  // dropped without a word when this member does not lead in `term`, and when too much waits,
  // leadership is given up rather than go on without it.
  void propose(Term term, std::string data) { propose(term, std::move(data), nullptr); }
  virtual void applied(Index index) = 0;

  // Done with OK once this member is known to lead still (ReadIndex); UNAVAILABLE otherwise.
  virtual void confirm_leadership(absl::AnyInvocable<void(Status)> done) = 0;
  // On any member: done once the state machine here holds everything that was committed before the
  // call, with the index up to which that is. UNAVAILABLE when no leader answers for that: try
  // again, here or elsewhere.
  virtual void read_index(absl::AnyInvocable<void(Result<Index>)> done) = 0;

  // Membership, one change at a time, on the leader. Done when committed, or with the reason why
  // not: FAILED_PRECONDITION or INVALID_ARGUMENT when it is not possible (an id that was removed
  // before, the last voter), UNAVAILABLE when it did not become possible in time, as when the
  // voters that answer would be no quorum. A learner is promoted by itself when it has caught up.
  // Adding a known member changes its address.
  virtual void add_member(Member member, absl::AnyInvocable<void(Status)> done) = 0;
  virtual void remove_member(MemberId member, absl::AnyInvocable<void(Status)> done) = 0;
  // Several at once, as to replace one manager by another: all happen or none.
  virtual void change_members(MembershipChanges changes, absl::AnyInvocable<void(Status)> done) = 0;
  // To `to`, or to the most advanced voter when empty.
  virtual void transfer_leadership(MemberId to, absl::AnyInvocable<void(Status)> done) = 0;

  virtual std::vector<Member> members() const = 0;  // of the latest configuration
  struct Progress {
    Term term;
    bool is_leader = false;
    MemberId leader;
    Index committed;
    Index applied;
    Index last;
    // As leader: voters and learners heard from within the last election timeout.
    std::vector<MemberId> reachable;
  };
  virtual Progress progress() const = 0;
  virtual ReplicaMetrics metrics() const = 0;
};

}  // namespace swarm::raft
