#include "scheduler/spread_tree.h"

#include <algorithm>

#include "base/check.h"
#include "model/placement.h"
#include "scheduler/filters.h"

namespace swarm::scheduler {

// A node of the tree. Inner ones have children, leaves have candidates.
struct SpreadTree::Branch {
  using Place = std::pair<std::pair<uint64_t, std::string>, Branch*>;

  Branch* parent = nullptr;
  std::string value;
  uint64_t active = 0;
  std::map<std::string, std::unique_ptr<Branch>> children;
  // Children that can still take a task: fewest active slots first, then by value.
  std::set<Place> usable;
  std::set<NodeOrder> candidates;

  bool can_take() const { return !usable.empty() || !candidates.empty(); }
  Place place() { return {{active, value}, this}; }
};

SpreadTree::SpreadTree(const NodeLedger& ledger, const Needs& needs, WallTime now)
    : needs_(needs),
      revision_{needs.service, needs.revision},
      now_(now),
      root_(std::make_unique<Branch>()) {
  leaves_.reserve(ledger.nodes().size());
  for (const auto& [id, account] : ledger.nodes()) {
    if (account.node) {
      add(account);
    }
  }
  // Bottom up: what has a candidate below it is usable. Depth is the number of preferences.
  const auto open = [](auto&& self, Branch& branch) -> void {
    for (auto& [value, child] : branch.children) {
      self(self, *child);
      if (child->can_take()) {
        branch.usable.insert(child->place());
      }
    }
  };
  open(open, *root_);
}

SpreadTree::~SpreadTree() = default;

void SpreadTree::add(const NodeAccount& account) {
  Leaf leaf{.account = &account,
            .branch = root_.get(),
            .active = account.of_service(needs_.service).active,
            .order = order_of(account, leaves_.size())};
  leaf.branch->active += leaf.active;
  for (const std::string& preference : needs_.preferences) {
    std::string value = model::node_attribute(*account.node, preference).value_or("");
    std::unique_ptr<Branch>& child = leaf.branch->children[value];
    if (!child) {
      child = std::make_unique<Branch>();
      child->parent = leaf.branch;
      child->value = std::move(value);
    }
    leaf.branch = child.get();
    leaf.branch->active += leaf.active;
  }
  if (leaf.order) {
    leaf.branch->candidates.insert(*leaf.order);
  }
  leaves_.push_back(leaf);
}

std::optional<SpreadTree::NodeOrder> SpreadTree::order_of(const NodeAccount& account,
                                                          size_t rank) const {
  if (refusal(account, needs_)) {
    return std::nullopt;
  }
  return NodeOrder{account.counted_failures(revision_, now_),
                   account.of_service(needs_.service).active, account.active, rank};
}

const SpreadTree::Leaf& SpreadTree::leaf_of(const NodeAccount& account) const {
  const auto found = std::lower_bound(
      leaves_.begin(), leaves_.end(), account.node->id,
      [](const Leaf& leaf, const model::NodeId& id) { return leaf.account->node->id < id; });
  SWARM_CHECK(found != leaves_.end() && found->account == &account, "the node is in the tree");
  return *found;
}

std::vector<const SpreadTree::Branch*> SpreadTree::way_to(const NodeAccount* home) const {
  std::vector<const Branch*> way;
  const Leaf* const leaf = home ? &leaf_of(*home) : nullptr;
  if (leaf && leaf->order) {
    for (const Branch* branch = leaf->branch; branch; branch = branch->parent) {
      way.push_back(branch);
    }
    std::reverse(way.begin(), way.end());
  }
  return way;
}

const NodeAccount* SpreadTree::best(const NodeAccount* home) const {
  if (!root_->can_take()) {
    return nullptr;
  }
  const std::vector<const Branch*> way = way_to(home);
  const Branch* branch = root_.get();
  for (size_t level = 1; !branch->usable.empty(); ++level) {
    const Branch* next = branch->usable.begin()->second;
    if (level < way.size() && way[level]->parent == branch && way[level]->active == next->active) {
      next = way[level];
    }
    branch = next;
  }
  SWARM_CHECK(!branch->candidates.empty(), "a usable branch ends in a leaf with a candidate");
  const NodeOrder& first = *branch->candidates.begin();
  if (!way.empty() && way.back() == branch) {
    const NodeOrder& order = *leaf_of(*home).order;
    if (std::get<0>(order) == std::get<0>(first) && std::get<1>(order) == std::get<1>(first)) {
      return home;
    }
  }
  return leaves_[std::get<3>(first)].account;
}

void SpreadTree::refresh(const NodeAccount& account) {
  const size_t rank = static_cast<size_t>(&leaf_of(account) - leaves_.data());
  Leaf& leaf = leaves_[rank];
  const uint32_t active = account.of_service(needs_.service).active;
  const std::optional<NodeOrder> order = order_of(account, rank);
  if (active == leaf.active && order == leaf.order) {
    return;
  }
  // Their places follow from what changes now.
  for (Branch* branch = leaf.branch; branch->parent; branch = branch->parent) {
    branch->parent->usable.erase(branch->place());
  }
  if (leaf.order) {
    leaf.branch->candidates.erase(*leaf.order);
  }
  if (order) {
    leaf.branch->candidates.insert(*order);
  }
  for (Branch* branch = leaf.branch; branch; branch = branch->parent) {
    branch->active += active;
    branch->active -= leaf.active;
  }
  for (Branch* branch = leaf.branch; branch->parent; branch = branch->parent) {
    if (branch->can_take()) {
      branch->parent->usable.insert(branch->place());
    }
  }
  leaf.active = active;
  leaf.order = order;
}

}  // namespace swarm::scheduler
