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

}  // namespace swarm::raft
