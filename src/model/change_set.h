#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "model/cluster.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

namespace swarm::model {

using ClusterPtr = std::shared_ptr<const Cluster>;
using NodePtr = std::shared_ptr<const Node>;
using ServicePtr = std::shared_ptr<const Service>;
using RevisionPtr = std::shared_ptr<const Revision>;
using TaskPtr = std::shared_ptr<const Task>;

struct RevisionKey {
  ServiceId service;
  RevisionNumber number = 0;

  auto operator<=>(const RevisionKey&) const = default;
};

// Tells a request that is sent once more, because its answer was lost, from a new one.
struct RequestId {
  uint64_t number = 0;  // chosen at random; 0 is told apart from nothing
  // Of one that may have been carried out before: a position that was committed when it was first
  // sent.
  std::optional<Position> repeated_since{};
};

// What one transaction does to the store, and what one raft entry holds. Objects are whole: the
// outcome is replicated, not the command.
//
// An object whose meta.version is 0 is created; otherwise it replaces the stored object of that
// very version. An object may occur once in a change set.
struct ChangeSet {
  using Object = std::variant<ClusterPtr, NodePtr, ServicePtr, RevisionPtr, TaskPtr>;
  using Key = std::variant<NodeId, ServiceId, RevisionKey, TaskId>;

  std::vector<Object> puts;
  std::vector<Key> removals;

  // The request it carries out, see RequestId; 0 for a decision of the leader's own.
  uint64_t request = 0;

  bool is_empty() const { return puts.empty() && removals.empty(); }

  // Each takes anything of the five kinds by value.
  template <class T>
  void put(T object) {
    puts.emplace_back(std::make_shared<const T>(std::move(object)));
  }
  template <class K>
  void remove(K key) {
    removals.emplace_back(std::move(key));
  }
  void append(ChangeSet other);
};

}  // namespace swarm::model
