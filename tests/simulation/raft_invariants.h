#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/raft_core.h"
#include "raft/replica/state_machine.h"

namespace swarm::test {

// What must hold in a Raft group after every event (the safety properties of Raft, figure 3, and
// what they rest on: a leader has the votes of a quorum, what is committed is on the disks of one),
// checked from outside against everything that was ever seen. The first violation is kept. Costs
// little: only what changed since the last look is compared.
class RaftInvariants {
 public:
  explicit RaftInvariants(const raft::CoreOptions& limits) : limits_(limits) {}

  // After an event. `member` may have restarted: `incarnation` tells.
  void look(raft::MemberId member, uint64_t incarnation, const raft::RaftCore& core);
  void on_applied(raft::MemberId member, const raft::CommittedEntry& entry);
  // The state of a machine right after `index`: the same on all.
  void on_state(raft::MemberId member, uint64_t index, uint64_t hash);
  // A granted vote left a member, or it asked for votes: its promise holds across crashes.
  void on_vote_sent(raft::MemberId voter, raft::Term term, raft::MemberId candidate);
  // A member told the leader of `term` that it holds everything up to `index`.
  void on_ack_sent(raft::MemberId member, const raft::RaftCore& core, raft::Term term,
                   raft::Index index);
  void on_death(raft::MemberId member, const raft::RaftCore& core);
  // It is back: what it had promised and what was durable is there.
  void on_return(raft::MemberId member, const raft::RaftCore& core);
  void violate(const std::string& what);

  const std::optional<std::string>& violation() const { return violation_; }
  // The highest index that any member knew to be committed.
  uint64_t committed() const { return committed_.size(); }
  size_t elections() const { return leaders_.size(); }

 private:
  struct Fingerprint {
    uint64_t term = 0;
    uint64_t previous_term = 0;
    uint64_t content = 0;
    bool operator==(const Fingerprint&) const = default;
  };
  struct Seen {
    uint64_t incarnation = 0;
    uint64_t commit = 0;
    uint64_t applied = 0;
    uint64_t term = 0;
    bool has_led = false;  // in this term
    uint64_t last = 0;
    uint64_t stable = 0;
    uint64_t base = 0;                // of `terms`
    std::deque<uint64_t> terms;       // of the entries compared already, from base + 1 on
    std::array<uint64_t, 8> state{};  // nothing is compared while it stays the same
  };
  struct Committed {
    uint64_t term = 0;
    uint64_t known_in = 0;  // the term of the first member to know
  };
  // What a member may not forget.
  struct Promise {
    uint64_t term = 0;
    raft::MemberId vote;
    // When it died.
    std::optional<raft::RaftLog> log;
    raft::Index durable;
    uint64_t acknowledged = 0;  // the highest index, to the leader of:
    uint64_t acknowledged_in = 0;
  };

  struct MemberRecord {
    Seen seen;
    Promise promise;
  };

  MemberRecord& record_of(raft::MemberId member);
  static std::array<uint64_t, 8> state_of(const raft::RaftCore& core);
  static Fingerprint fingerprint(const raft::RaftCore& core, uint64_t index);
  void check_leader(raft::MemberId member, const raft::RaftCore& core);
  void check_election(raft::MemberId member, const raft::RaftCore& core);
  void check_peers(raft::MemberId member, const raft::RaftCore& core);
  void check_promise(raft::MemberId member, const raft::RaftCore& core);
  void check_progress(raft::MemberId member, const raft::RaftCore& core);
  void check_log(raft::MemberId member, Seen& seen, const raft::RaftCore& core);
  void check_entry(raft::MemberId member, const raft::RaftCore& core, uint64_t index);
  void check_configuration(raft::MemberId member, const raft::RaftCore& core, uint64_t index);
  void check_commit(raft::MemberId member, Seen& seen, uint64_t last_before,
                    const raft::RaftCore& core);
  void check_decision(raft::MemberId member, uint64_t last_before, const raft::RaftCore& core);
  static bool holds_durably(const Seen& seen, uint64_t index, uint64_t term);

  const raft::CoreOptions limits_;
  std::deque<MemberRecord> members_;                           // by id; references stay as it grows
  std::map<uint64_t, raft::MemberId> leaders_;                 // by term
  std::vector<std::vector<Fingerprint>> entries_;              // by index
  std::vector<Committed> committed_;                           // by index - 1
  std::map<uint64_t, std::pair<uint64_t, uint64_t>> applied_;  // by index: term, content
  std::map<uint64_t, uint64_t> states_;                        // by index
  std::map<std::pair<raft::MemberId, uint64_t>, raft::MemberId> votes_;  // by voter and term
  std::optional<std::string> violation_;
};

// All that are in it, those on their way out included.
std::set<raft::MemberId> members_of(const raft::Configuration& configuration);

// Whether `present` holds a quorum of the configuration, of both halves if it is joint. Not the
// counting of the library, which it checks.
bool has_quorum(const raft::Configuration& configuration,
                const std::vector<raft::MemberId>& present);

}  // namespace swarm::test
