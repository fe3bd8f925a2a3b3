#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "raft/core/configuration.h"

namespace swarm::raft {

enum class VoteResult { pending, won, lost };

// The counting rules of one configuration: a majority of the voters, and while the configuration is
// joint a majority of the outgoing voters too (Ongaro's thesis, 4.3).
class Quorum {
 public:
  Quorum() = default;
  explicit Quorum(const Configuration& configuration);

  // `votes` may hold answers of members that do not vote: they are not counted.
  VoteResult tally(const std::map<MemberId, bool>& votes) const;
  // The largest value that a quorum has reached; 0 when there are no voters.
  uint64_t reached(const std::function<uint64_t(MemberId)>& value_of) const;

  bool contains(MemberId id) const;
  bool is_only(MemberId id) const;
  // Each voter once.
  const std::vector<MemberId>& voters() const { return all_; }

 private:
  std::vector<MemberId> incoming_;
  std::vector<MemberId> outgoing_;
  std::vector<MemberId> all_;
};

}  // namespace swarm::raft
