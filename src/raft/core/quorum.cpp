#include "raft/core/quorum.h"

#include <algorithm>
#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

VoteResult tally_half(const std::vector<MemberId>& voters, const std::map<MemberId, bool>& votes) {
  size_t granted = 0;
  size_t missing = 0;
  for (const MemberId id : voters) {
    const auto vote = votes.find(id);
    if (vote == votes.end()) {
      ++missing;
    } else if (vote->second) {
      ++granted;
    }
  }
  const size_t needed = voters.size() / 2 + 1;
  if (granted >= needed) {
    return VoteResult::won;
  }
  return granted + missing >= needed ? VoteResult::pending : VoteResult::lost;
}

uint64_t reached_half(const std::vector<MemberId>& voters,
                      const std::function<uint64_t(MemberId)>& value_of) {
  std::vector<uint64_t> values;
  values.reserve(voters.size());
  for (const MemberId id : voters) {
    values.push_back(value_of(id));
  }
  // With the largest first, the one in the middle is reached by a majority.
  std::sort(values.begin(), values.end(), std::greater<>());
  return values[values.size() / 2];
}

}  // namespace

Quorum::Quorum(const Configuration& configuration)
    : incoming_(configuration.voters()), all_(incoming_) {
  for (const Member& leaving : configuration.outgoing) {
    outgoing_.push_back(leaving.id);
  }
  all_.insert(all_.end(), outgoing_.begin(), outgoing_.end());
  std::sort(all_.begin(), all_.end());
  all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
}

VoteResult Quorum::tally(const std::map<MemberId, bool>& votes) const {
  if (incoming_.empty()) {
    return VoteResult::lost;
  }
  const VoteResult incoming = tally_half(incoming_, votes);
  if (outgoing_.empty() || incoming == VoteResult::lost || SWARM_MUTANT(joint_counts_new_only)) {
    return incoming;
  }
  const VoteResult outgoing = tally_half(outgoing_, votes);
  return outgoing == VoteResult::won ? incoming : outgoing;
}

uint64_t Quorum::reached(const std::function<uint64_t(MemberId)>& value_of) const {
  if (incoming_.empty()) {
    return 0;
  }
  const uint64_t incoming = reached_half(incoming_, value_of);
  return outgoing_.empty() || SWARM_MUTANT(joint_counts_new_only)
             ? incoming
             : std::min(incoming, reached_half(outgoing_, value_of));
}

bool Quorum::contains(MemberId id) const {
  return std::binary_search(all_.begin(), all_.end(), id);
}

bool Quorum::is_only(MemberId id) const {
  return all_.size() == 1 && all_.front() == id;
}

}  // namespace swarm::raft
