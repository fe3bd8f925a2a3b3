#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace swarm::raft {

// Reads that wait until their leader is known to lead still. All reads of one batch share a
// position; a heartbeat carries the highest, and its reply confirms every earlier one too, so that
// one round serves any number of reads.
class ReadQueue {
 public:
  void add(uint64_t id) { waiting_.push_back(id); }
  // Gives those added since the last call a position; false when there is none.
  bool assign();
  // Takes the reads up to `position`, in order.
  std::vector<uint64_t> confirm(uint64_t position);
  std::vector<uint64_t> take_all();

  uint64_t position() const { return position_; }
  bool has_unconfirmed() const { return !assigned_.empty(); }
  size_t size() const { return waiting_.size() + assigned_.size(); }

 private:
  struct Assigned {
    uint64_t position;
    uint64_t id;
  };
  uint64_t position_ = 0;
  std::vector<uint64_t> waiting_;
  std::deque<Assigned> assigned_;
};

}  // namespace swarm::raft
