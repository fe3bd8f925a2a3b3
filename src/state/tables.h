#pragma once

#include <functional>
#include <map>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "state/change_set.h"
#include "state/table.h"

namespace swarm::state {

// All objects, without the indexes: what a snapshot is of. A copy is cheap (state/table.h) and may
// go to another thread. For the sources of this module.
struct Objects {
  ClusterPtr cluster;
  NodeTable nodes;
  ServiceTable services;
  RevisionTable revisions;
  TaskTable tasks;

  void apply(const Change& change);
};

// For a set of services that is asked by name.
inline std::string_view name_of(std::string_view name) {
  return name;
}
inline std::string_view name_of(const ServicePtr& service) {
  return service->settings.name;
}
struct HashOfName {
  using is_transparent = void;
  size_t operator()(const auto& named) const {
    return std::hash<std::string_view>()(name_of(named));
  }
};
struct SameName {
  using is_transparent = void;
  bool operator()(const auto& a, const auto& b) const { return name_of(a) == name_of(b); }
};

// All objects and the indexes over them: what a View looks at. For the sources of this module.
//
// Only `apply` changes objects; it keeps the indexes in step and refuses nothing, so that what was
// applied can always be taken back with the reversed change. Checks come before it.
struct Tables : Objects {
  model::Position position = 0;

  // Services that were not removed: a removed one gives its name free at once.
  std::unordered_set<ServicePtr, HashOfName, SameName> services_by_name;
  std::map<model::ServiceId, TaskTable> tasks_by_service;
  std::map<model::NodeId, TaskTable> tasks_by_node;
  TaskTable unplaced;

  void apply(const Change& change);
  // In the order given; `position` is set to what it is afterwards.
  void apply(const std::vector<Change>& changes, model::Position new_position);
  // Forgets about `count` objects, from all that there are; for a large store that is destroyed in
  // slices. Whether anything is left. Nothing else may be done with the tables afterwards.
  bool drop(size_t count);

  // The stored object with the identity of `object`, or a null pointer of its kind.
  ChangeSet::Object find(const ChangeSet::Object& object) const;
  ChangeSet::Object find(const ChangeSet::Key& key) const;

  NodePtr node(const model::NodeId& id) const;
  ServicePtr service(const model::ServiceId& id) const;
  RevisionPtr revision(const RevisionKey& key) const;
  TaskPtr task(const model::TaskId& id) const;
  // All of one service; they are few.
  std::map<model::RevisionNumber, RevisionPtr> revisions_of(const model::ServiceId& service) const;
};

// What takes `changes` back, in the order to apply it.
std::vector<Change> reversed(const std::vector<Change>& changes);

// Whether a change set's object holds no object.
bool is_null(const ChangeSet::Object& object);

}  // namespace swarm::state
