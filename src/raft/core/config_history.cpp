#include "raft/core/config_history.h"

#include "base/check.h"

namespace swarm::raft {

ConfigHistory::ConfigHistory(Index index, Configuration configuration) {
  history_.emplace_back(index, std::move(configuration));
}

const Configuration& ConfigHistory::at(Index index) const {
  for (auto entry = history_.rbegin(); entry != history_.rend(); ++entry) {
    if (entry->first <= index) {
      return entry->second;
    }
  }
  check_failed(__FILE__, __LINE__, "a configuration at the index",
               "index " + std::to_string(index.value()) + ", the oldest known is at " +
                   std::to_string(history_.front().first.value()));
}

void ConfigHistory::append(Index index, Configuration configuration) {
  SWARM_CHECK(index > latest_index(), "configurations are appended in the order of the log");
  history_.emplace_back(index, std::move(configuration));
}

bool ConfigHistory::truncate_from(Index index) {
  SWARM_CHECK(index > history_.front().first, "a configuration of a snapshot was truncated");
  const size_t before = history_.size();
  while (history_.back().first >= index) {
    history_.pop_back();
  }
  return history_.size() != before;
}

void ConfigHistory::compact(Index index) {
  size_t needed = 0;
  while (needed + 1 < history_.size() && history_[needed + 1].first <= index) {
    ++needed;
  }
  history_.erase(history_.begin(), history_.begin() + static_cast<ptrdiff_t>(needed));
}

}  // namespace swarm::raft
