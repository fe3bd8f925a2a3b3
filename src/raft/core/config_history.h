#pragma once

#include <utility>
#include <vector>

#include "raft/core/configuration.h"

namespace swarm::raft {

// Which configuration was in force at which index. A configuration counts from the moment its entry
// is appended, so when a new leader truncates the log the earlier one must come back: the place
// where libraries that activate at append have bled (canonical/raft#250, #323, braft#280).
class ConfigHistory {
 public:
  // As of a snapshot; index 0 and an empty configuration for an empty log.
  ConfigHistory(Index index, Configuration configuration);

  // In force for everything appended from now on.
  const Configuration& latest() const { return history_.back().second; }
  Index latest_index() const { return history_.back().first; }
  // In force at `index`, which is not compacted.
  const Configuration& at(Index index) const;

  void append(Index index, Configuration configuration);
  // Forgets what entries from `index` on brought. Whether the latest one changed by that.
  bool truncate_from(Index index);
  // Forgets what only indexes under `index` need.
  void compact(Index index);

 private:
  std::vector<std::pair<Index, Configuration>> history_;  // never empty, by index
};

}  // namespace swarm::raft
