#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "raft/core/types.h"

namespace swarm::raft {

// Reads that wait for a round of messages to confirm them: on the leader one of heartbeats, on a
// follower one question to its leader. All reads of one batch share a position; a message carries
// the highest, and its answer confirms every earlier one too, so that one round serves any number
// of reads.
class ReadQueue {
 public:
  struct Read {
    MemberId from;         // who asked; empty for this member itself
    uint64_t context = 0;  // of a member that asked
    uint64_t id = 0;
    Index index{};  // committed when it was given its position
  };

  // A later read of the same asking member covers the one that waits.
  void add(const Read& read);
  // Gives those added since the last call a position and an index; false when there is none.
  bool assign(Index committed);
  // Takes the reads up to `position`, in order.
  std::vector<Read> confirm(uint64_t position);
  std::vector<Read> take_all();

  uint64_t position() const { return position_; }
  bool has_unconfirmed() const { return !assigned_.empty(); }
  size_t size() const { return waiting_.size() + assigned_.size(); }

 private:
  struct Assigned {
    uint64_t position;
    Read read;
  };
  uint64_t position_ = 0;
  std::vector<Read> waiting_;
  std::deque<Assigned> assigned_;
};

}  // namespace swarm::raft
