#include "raft/core/read_queue.h"

#include <utility>

namespace swarm::raft {

bool ReadQueue::assign() {
  if (waiting_.empty()) {
    return false;
  }
  ++position_;
  for (const uint64_t id : std::exchange(waiting_, {})) {
    assigned_.push_back({position_, id});
  }
  return true;
}

std::vector<uint64_t> ReadQueue::confirm(uint64_t position) {
  std::vector<uint64_t> ready;
  while (!assigned_.empty() && assigned_.front().position <= position) {
    ready.push_back(assigned_.front().id);
    assigned_.pop_front();
  }
  return ready;
}

std::vector<uint64_t> ReadQueue::take_all() {
  std::vector<uint64_t> ids = confirm(position_);
  ids.insert(ids.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  return ids;
}

}  // namespace swarm::raft
