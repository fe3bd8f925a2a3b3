#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "dispatcher/dispatcher.h"
#include "manager/leader_term.h"
#include "manager/swarm_clock.h"
#include "raft/replica/replica.h"
#include "state/output_gate.h"
#include "state/store.h"

namespace swarm::manager {

struct ManagerOptions {
  model::NodeId node;
  model::MemberId member;
  std::string address;              // where other managers reach this one
  std::filesystem::path directory;  // of the raft log
  // As of raft::ReplicaOptions.
  std::filesystem::path promises{};
  bool has_taken_part = false;
  std::function<void(const Status&)> on_state_lost{};
  // Sizes and the reaction to a broken disk; `self` and `directory` are filled in.
  raft::ReplicaOptions raft{};
};

// What a manager stands on. Real in swarmd, simulated in swarm-sim; all must outlive it.
struct ManagerEnvironment {
  EventLoop& control_loop;
  EventLoop& raft_loop;
  EventLoop& log_loop;
  FileSystem& files;
  raft::Transport& transport;
  raft::PayloadCipher& cipher;
  dispatcher::MeshProbe mesh_probe = nullptr;  // none: a silent node is a lost one
};

// What a leadership begins with, computed from the store it finds.
using FirstTransaction =
    std::function<Result<state::ChangeSet>(const state::View&, WallTime, Random&)>;

// One manager: the replicated store and, while it leads, everything that decides. It owns the
// replica (on the raft loop) and the store (on the control loop) and is the bridge between the two
// loops; nothing else crosses them.
class Manager final : public raft::StateMachine,
                      private state::Proposer,
                      public std::enable_shared_from_this<Manager> {
 public:
  // Opens the log. DATA_LOSS when it is damaged.
  static Result<std::shared_ptr<Manager>> open(ManagerOptions options,
                                               ManagerEnvironment environment, Random random);
  ~Manager() override;

  // Before start: makes this the only member of a new swarm, whose first transaction is `first`.
  Status bootstrap(FirstTransaction first);
  // Before start: makes this the only member of the group it is in, and `first` the first
  // transaction that this survivor commits.
  Status force_alone(FirstTransaction first);
  // Before start: as above, of a group that begins with a snapshot in place.
  void begin_with(FirstTransaction first) { first_ = std::move(first); }
  // False for a member that has joined and heard nothing yet. Before start.
  bool knows_members() const { return !replica_->members().empty(); }
  void start();
  // Hands leadership over if there is somebody to take it; done after at most two seconds. On any
  // thread.
  void hand_over(absl::AnyInvocable<void()> done);
  // Destroys what lives on the two loops, each on its own; both must still run. Off the loops.
  void stop();

  struct Leader {
    bool is_self = false;  // and ready to decide
    std::string address;   // "" when nobody leads
    model::MemberId member;
  };
  Leader leader() const;  // from any thread
  // As api::Gateway::quorum_loss. From any thread.
  std::string quorum_loss() const;

  // ---- control loop ----

  EventLoop& loop() { return loop_; }
  state::Store& store() { return store_; }
  state::OutputGate& gate() { return gate_; }
  Random& random() { return random_; }
  // The term it leads in.
  std::optional<raft::Term> leading_term() const { return leading_term_; }
  // Null unless this manager leads.
  const std::shared_ptr<LeaderTerm>& term() const { return term_; }
  // Done on the control loop once this manager is known to lead still.
  void confirm_leadership(absl::AnyInvocable<void(Status)> done);
  void add_member(raft::Member member, absl::AnyInvocable<void(Status)> done);
  void remove_member(model::MemberId member, absl::AnyInvocable<void(Status)> done);
  void transfer_leadership(absl::AnyInvocable<void(Status)> done);
  // The state as it is committed, at least as new as the moment of the call; done on the control
  // loop, on any manager. UNAVAILABLE when no leader answers for that.
  struct CommittedState {
    raft::Index index;
    raft::Term term;
    model::Position position = 0;
    model::SwarmId swarm;
    std::function<std::string()> next_chunk;  // as Store::snapshot
  };
  void read_committed(absl::AnyInvocable<void(Result<CommittedState>)> done);

  // ---- on the raft loop ----

  void receive(model::MemberId from, std::string message);

  // ---- any thread ----

  // Runs `call` on the control loop, unless this manager has stopped by then: it is destroyed
  // uncalled. What is posted keeps the manager alive.
  void on_control_loop(absl::AnyInvocable<void()> call);
  void peer_refused(model::MemberId peer);
  // The managers that can be reached now, this one included: as leader, those it has heard of
  // lately. None when this manager has stopped. `done` on the raft loop.
  void ask_reachable(absl::AnyInvocable<void(std::vector<model::MemberId>)> done);
  // How far the store has applied what is committed.
  model::Position committed() const { return committed_; }
  // Whether the node was removed from the swarm, so that its certificate is void. As committed.
  bool is_removed(const model::NodeId& node) const;

 private:
  Manager(ManagerOptions options, ManagerEnvironment environment, Random random);

  // raft::StateMachine, on the raft loop.
  void apply(std::vector<raft::CommittedEntry> entries, raft::Index up_to) override;
  void leadership_won(raft::Term term) override;
  void leadership_lost(raft::Term term) override;
  void leader_changed(std::optional<raft::MemberId> leader) override;
  void quorum_changed(std::vector<raft::MemberId> missing) override;
  void take_snapshot(raft::Index at_least,
                     absl::AnyInvocable<void(raft::Index, SnapshotSource)> done) override;
  void restore(raft::Index index, std::vector<std::string> chunks,
               absl::AnyInvocable<void(Status)> done) override;

  // state::Proposer, on the control loop.
  void propose(model::Position position, std::string entry) override;
  void pass_on_proposed();

  // On the control loop.
  void apply_here(const std::vector<raft::CommittedEntry>& entries, raft::Index up_to);
  void install(raft::Index index, Result<state::StoreContents> contents,
               absl::AnyInvocable<void(Status)> done);
  void begin_term(raft::Term term);
  void end_term(raft::Term term);
  model::MemberId former_leader() const;
  // Copies what other threads ask about nodes.
  // `head`: the position at which the nodes were changed.
  void note_nodes(model::Position head);
  void publish_removals();
  // Keeps up with the wall time of the leader.
  void note_time(const std::vector<state::Change>& changes);
  Status write_first_transaction();

  // As on_control_loop, for the other loop.
  void on_raft_loop(absl::AnyInvocable<void(raft::Replica&)> call);
  // A call on the raft loop whose outcome comes back to the control loop.
  void on_replica(absl::AnyInvocable<void(raft::Replica&, absl::AnyInvocable<void(Status)>)> call,
                  absl::AnyInvocable<void(Status)> done);

  const ManagerOptions options_;
  ManagerEnvironment environment_;

  // ---- owned by the raft loop ----
  std::unique_ptr<raft::Replica> replica_;

  // ---- owned by the control loop ----
  bool is_stopped_ = false;
  Random random_;
  SwarmClock clock_;
  SwarmTimeLoop loop_{environment_.control_loop, clock_};
  state::Store store_;
  state::OutputGate gate_;
  raft::Index applied_;
  std::optional<raft::Term> leading_term_;
  std::vector<std::pair<raft::Term, std::string>> proposed_;  // in this turn of the loop
  std::shared_ptr<LeaderTerm> term_;
  FirstTransaction first_;  // null once it is written
  // Nodes removed as of the head, and the head that first said so.
  std::set<model::NodeId> noted_removals_;
  model::Position noted_at_ = 0;

  // ---- shared: what other threads may ask at any time ----
  std::atomic<model::Position> committed_ = 0;
  mutable std::mutex mutex_;
  bool leads_ = false;
  model::MemberId leader_;  // nobody when empty
  // The last leader that was somebody else: its machine may be what ended its leadership.
  model::MemberId former_leader_;
  struct KnownManager {
    std::string hostname;
    std::string address;
  };
  std::map<model::MemberId, KnownManager> managers_;
  std::vector<raft::MemberId> missing_;  // while they make the quorum
  std::set<model::NodeId> removed_nodes_;
};

}  // namespace swarm::manager
