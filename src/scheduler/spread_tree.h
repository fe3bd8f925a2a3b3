#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "scheduler/node_ledger.h"

namespace swarm::scheduler {

// Picks nodes for the tasks of one revision, one after the other.
//
// Each placement preference is a level of the tree and splits nodes by the value they have for it.
// A branch counts the active tasks of the service on all its nodes, also on those that take no
// more. A task goes down the branch with the fewest, then to the best node of that leaf; the counts
// grow with every task, so when a branch is full the rest is shared evenly by those that remain.
//
// Order of nodes in a leaf, less is better: counted failures of the revision, active tasks of the
// service, active tasks in total, id. Ties of branches go to the smaller value.
//
// Lives for one round of one revision. The ledger must outlive it; the caller books each pick.
class SpreadTree {
 public:
  SpreadTree(const NodeLedger& ledger, const Needs& needs, WallTime now);
  ~SpreadTree();

  // The best node; null when none is left. Each call must be followed by `took` for that node.
  const NodeAccount* best();
  // The node of the last pick has been given a task and is booked. `fits`: it may take another.
  void took(bool fits);

 private:
  // Less is better. The rank stands for the id: nodes are numbered in the order of their ids.
  using NodeOrder = std::tuple<size_t, uint32_t, uint32_t, size_t>;
  struct Branch;

  NodeOrder order_of(const NodeAccount& account, size_t rank) const;
  void add(const NodeAccount& account, size_t rank);

  const Needs& needs_;
  state::RevisionKey revision_;
  WallTime now_;
  std::unique_ptr<Branch> root_;
  std::vector<const NodeAccount*> by_rank_;
  std::vector<Branch*> path_;  // of the last pick, from the root to the leaf
};

}  // namespace swarm::scheduler
