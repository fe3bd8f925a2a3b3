#pragma once

#include <cstdint>
#include <string>

#include "base/strong_id.h"

namespace swarm::raft {

using Term = StrongId<struct TermTag, uint64_t>;
using Index = StrongId<struct IndexTag, uint64_t>;
// Same representation as model::MemberId; raft knows nothing of the model.
using MemberId = StrongId<struct RaftMemberIdTag, uint64_t>;

struct Member {
  MemberId id;
  std::string address;
  bool is_learner = false;

  bool operator==(const Member&) const = default;
};

enum class Role { follower, pre_candidate, candidate, leader };

// What became of a proposal. `unknown`: it is in the log of a member that leads no longer; the next
// leaders decide.
enum class ProposalOutcome { committed, dropped, unknown };

}  // namespace swarm::raft
