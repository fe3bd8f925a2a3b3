#include "raft/core/read_queue.h"

#include <algorithm>
#include <utility>

namespace swarm::raft {

void ReadQueue::add(const Read& read) {
  if (!read.from.is_empty()) {
    for (Read& waiting : waiting_) {
      if (waiting.from == read.from && waiting.context == read.context) {
        waiting.id = std::max(waiting.id, read.id);
        return;
      }
    }
  }
  waiting_.push_back(read);
}

bool ReadQueue::assign(Index committed) {
  if (waiting_.empty()) {
    return false;
  }
  ++position_;
  for (Read& read : std::exchange(waiting_, {})) {
    read.index = committed;
    assigned_.push_back({position_, read});
  }
  return true;
}

std::vector<ReadQueue::Read> ReadQueue::confirm(uint64_t position) {
  std::vector<Read> ready;
  while (!assigned_.empty() && assigned_.front().position <= position) {
    ready.push_back(assigned_.front().read);
    assigned_.pop_front();
  }
  return ready;
}

std::vector<ReadQueue::Read> ReadQueue::take_all() {
  std::vector<Read> reads = confirm(position_);
  reads.insert(reads.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  return reads;
}

}  // namespace swarm::raft
