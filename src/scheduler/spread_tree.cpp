#include "scheduler/spread_tree.h"

#include "base/check.h"
#include "model/placement.h"
#include "scheduler/filters.h"

namespace swarm::scheduler {

// A node of the tree. Inner ones have children, leaves have candidates.
struct SpreadTree::Branch {
  std::string value;
  uint64_t active = 0;
  std::map<std::string, std::unique_ptr<Branch>> children;
  // Children that can still take a task: fewest active tasks first, then by value.
  std::set<std::pair<std::pair<uint64_t, std::string>, Branch*>> usable;
  std::set<NodeOrder> candidates;

  bool can_take() const { return !usable.empty() || !candidates.empty(); }
  std::pair<std::pair<uint64_t, std::string>, Branch*> place(Branch* child) const {
    return {{child->active, child->value}, child};
  }
};

SpreadTree::SpreadTree(const NodeLedger& ledger, const Needs& needs, WallTime now)
    : needs_(needs),
      revision_{needs.service, needs.revision},
      now_(now),
      root_(std::make_unique<Branch>()) {
  by_rank_.reserve(ledger.nodes().size());
  for (const auto& [id, account] : ledger.nodes()) {
    if (account.node) {
      by_rank_.push_back(&account);
      add(account, by_rank_.size() - 1);
    }
  }
  // Bottom up: what has a candidate below it is usable. Depth is the number of preferences.
  const auto open = [](auto&& self, Branch& branch) -> void {
    for (auto& [value, child] : branch.children) {
      self(self, *child);
      if (child->can_take()) {
        branch.usable.insert(branch.place(child.get()));
      }
    }
  };
  open(open, *root_);
}

SpreadTree::~SpreadTree() = default;

void SpreadTree::add(const NodeAccount& account, size_t rank) {
  const uint64_t active = account.active_of_service(needs_.service);
  Branch* branch = root_.get();
  branch->active += active;
  for (const std::string& preference : needs_.preferences) {
    std::string value = model::node_attribute(*account.node, preference).value_or("");
    std::unique_ptr<Branch>& child = branch->children[value];
    if (!child) {
      child = std::make_unique<Branch>();
      child->value = std::move(value);
    }
    branch = child.get();
    branch->active += active;
  }
  if (!refusal(account, needs_)) {
    branch->candidates.insert(order_of(account, rank));
  }
}

SpreadTree::NodeOrder SpreadTree::order_of(const NodeAccount& account, size_t rank) const {
  return {account.counted_failures(revision_, now_), account.active_of_service(needs_.service),
          account.active, rank};
}

const NodeAccount* SpreadTree::best() {
  path_.clear();
  if (!root_->can_take()) {
    return nullptr;
  }
  Branch* branch = root_.get();
  path_.push_back(branch);
  while (!branch->usable.empty()) {
    branch = branch->usable.begin()->second;
    path_.push_back(branch);
  }
  SWARM_CHECK(!branch->candidates.empty(), "a usable branch ends in a leaf with a candidate");
  return by_rank_[std::get<3>(*branch->candidates.begin())];
}

void SpreadTree::took(bool fits) {
  SWARM_CHECK(!path_.empty(), "took() follows best()");
  Branch* leaf = path_.back();
  const size_t rank = std::get<3>(*leaf->candidates.begin());
  leaf->candidates.erase(leaf->candidates.begin());
  if (fits) {
    leaf->candidates.insert(order_of(*by_rank_[rank], rank));
  }
  for (size_t level = path_.size() - 1; level > 0; --level) {
    Branch* parent = path_[level - 1];
    Branch* child = path_[level];
    parent->usable.erase(parent->place(child));
    ++child->active;
    if (child->can_take()) {
      parent->usable.insert(parent->place(child));
    }
  }
  path_.clear();
}

}  // namespace swarm::scheduler
