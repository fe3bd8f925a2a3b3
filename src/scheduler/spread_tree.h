#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "scheduler/node_ledger.h"

namespace swarm::scheduler {

// Picks nodes for the tasks of one revision, one after the other.
//
// Each placement preference is a level of the tree and splits nodes by the value they have for it.
// A branch counts the active slots of the service on all its nodes, also on those that take no
// more. A task goes down the branch with the fewest, then to the best node of that leaf; the counts
// grow with every task, so when a branch is full the rest is shared evenly by those that remain.
//
// Order of nodes in a leaf, less is better: counted failures of the revision, active slots of the
// service, active slots in total, id. Ties of branches go to the smaller value. The home of a task,
// the node of its predecessor, wins ties of branches, and of nodes whatever they have in total.
//
// Lives for one round of one revision. The ledger must outlive it; the caller tells it of every
// account that changes.
class SpreadTree {
 public:
  SpreadTree(const NodeLedger& ledger, const Needs& needs, WallTime now);
  ~SpreadTree();

  // The best node for a task with that home, or with none; null when no node is left.
  const NodeAccount* best(const NodeAccount* home) const;
  // The account has changed.
  void refresh(const NodeAccount& account);

 private:
  // Less is better. The rank stands for the id: nodes are numbered in the order of their ids.
  using NodeOrder = std::tuple<size_t, uint32_t, uint32_t, size_t>;
  struct Branch;
  // Where a node is in the tree, by rank, and as what it was counted.
  struct Leaf {
    const NodeAccount* account = nullptr;
    Branch* branch = nullptr;
    uint32_t active = 0;
    std::optional<NodeOrder> order;  // set: it can take a task
  };

  void add(const NodeAccount& account);
  std::optional<NodeOrder> order_of(const NodeAccount& account, size_t rank) const;
  const Leaf& leaf_of(const NodeAccount& account) const;
  // The branches from the root to the node; empty when it takes no task.
  std::vector<const Branch*> way_to(const NodeAccount* home) const;

  const Needs& needs_;
  state::RevisionKey revision_;
  WallTime now_;
  std::unique_ptr<Branch> root_;
  std::vector<Leaf> leaves_;
};

}  // namespace swarm::scheduler
