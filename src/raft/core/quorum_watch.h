#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "raft/core/quorum.h"
#include "raft/core/types.h"

namespace swarm::raft {

// Tells a voter without a leader whether it only waits for an election or has lost the quorum: from
// whom it heard since it asked for votes last. Says nothing about a member that never asks.
class QuorumWatch {
 public:
  // Votes were asked for.
  void begin(uint64_t now, MemberId self);
  void heard_from(MemberId member, const Quorum& quorum);
  // Whoever was asked and lives has answered by now.
  void tick(uint64_t now, const Quorum& quorum);
  // A leader that only `reached` answer steps down.
  void lose(const std::set<MemberId>& reached, const Quorum& quorum);
  void found_leader() { *this = {}; }

  // The voters that do not answer, while those that do are too few.
  const std::vector<MemberId>& missing() const { return missing_; }

 private:
  // In ticks: a round trip takes a fraction of one.
  static constexpr uint64_t kPatience = 4;

  std::set<MemberId> heard_;
  uint64_t asked_at_ = 0;
  bool is_asking_ = false;
  std::vector<MemberId> missing_;
};

}  // namespace swarm::raft
