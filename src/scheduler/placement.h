#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/filters.h"
#include "scheduler/spread_tree.h"

namespace swarm::scheduler {

// The pending tasks of one revision, in the order in which they are served.
using Waiting = std::set<std::pair<model::Slot, model::TaskId>>;

// One round: the pending tasks of one revision, placed until `limit` decisions are made.
struct RoundResult {
  std::vector<model::Task> decided;  // assigned, or still pending with another explanation
  bool is_complete = true;           // false: the limit was reached
  // When a task that waits for a suspect node is to be placed whatever has become of that.
  std::optional<WallTime> retry_at;

  void tell(std::optional<model::Task> task) {
    if (task) {
      decided.push_back(*std::move(task));
    }
  }
};

// Books every placement in the ledger.
RoundResult place_group(const state::View& view, NodeLedger& ledger, const Needs& needs,
                        const Waiting& waiting, size_t limit, WallTime now);

}  // namespace swarm::scheduler
