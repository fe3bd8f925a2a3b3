#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/raft_core.h"
#include "raft/replica/state_machine.h"

namespace swarm::test {

// What must hold in a Raft group after every event (the safety properties of Raft, figure 3, and
// what they rest on), checked from outside against everything that was ever seen. The first
// violation is kept. Costs little: only what changed since the last look is compared.
class RaftInvariants {
 public:
  // After an event. `member` may have restarted: `incarnation` tells.
  void look(raft::MemberId member, uint64_t incarnation, const raft::RaftCore& core);
  void on_applied(raft::MemberId member, const raft::CommittedEntry& entry);
  // A granted vote left a member: its promise holds across crashes.
  void on_vote_sent(raft::MemberId voter, raft::Term term, raft::MemberId candidate);
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
    std::map<uint64_t, uint64_t> terms;  // of the entries compared already
    std::array<uint64_t, 8> state{};     // nothing is compared while it stays the same
  };

  static std::array<uint64_t, 8> state_of(const raft::RaftCore& core);
  static Fingerprint fingerprint(const raft::RaftCore& core, uint64_t index);
  void check_leader(raft::MemberId member, const raft::RaftCore& core);
  void check_log(raft::MemberId member, Seen& seen, const raft::RaftCore& core);
  void check_commit(raft::MemberId member, Seen& seen, const raft::RaftCore& core);

  std::map<raft::MemberId, Seen> seen_;
  std::map<uint64_t, raft::MemberId> leaders_;                           // by term
  std::map<std::pair<uint64_t, uint64_t>, Fingerprint> entries_;         // by index and term
  std::vector<uint64_t> committed_;                                      // term, by index - 1
  std::map<uint64_t, std::pair<uint64_t, std::string>> applied_;         // by index
  std::map<std::pair<raft::MemberId, uint64_t>, raft::MemberId> votes_;  // by voter and term
  std::optional<std::string> violation_;
};

}  // namespace swarm::test
