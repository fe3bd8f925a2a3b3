#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "state/change_set.h"

namespace swarm::state {

using TaskMap = std::map<model::TaskId, TaskPtr>;

// All objects and the indexes over them: what a View looks at. For the sources of this module.
//
// Only `apply` changes objects; it keeps the indexes in step and refuses nothing, so that what was
// applied can always be taken back with the reversed change. Checks come before it.
struct Tables {
  model::Position position = 0;

  ClusterPtr cluster;
  std::map<model::NodeId, NodePtr> nodes;
  std::map<model::ServiceId, ServicePtr> services;
  std::map<model::ServiceId, std::map<model::RevisionNumber, RevisionPtr>> revisions;
  TaskMap tasks;

  // Services that were not removed: a removed one gives its name free at once.
  std::map<std::string, ServicePtr, std::less<>> services_by_name;
  std::map<model::ServiceId, TaskMap> tasks_by_service;
  std::map<model::NodeId, TaskMap> tasks_by_node;
  TaskMap unplaced;

  void apply(const Change& change);
  // In the order given; `position` is set to what it is afterwards.
  void apply(const std::vector<Change>& changes, model::Position new_position);

  // The stored object with the identity of `object`, or a null pointer of its kind.
  ChangeSet::Object find(const ChangeSet::Object& object) const;
  ChangeSet::Object find(const ChangeSet::Key& key) const;

  NodePtr node(const model::NodeId& id) const;
  ServicePtr service(const model::ServiceId& id) const;
  RevisionPtr revision(const RevisionKey& key) const;
  TaskPtr task(const model::TaskId& id) const;
};

// What takes `changes` back, in the order to apply it.
std::vector<Change> reversed(const std::vector<Change>& changes);

// Whether a change set's object holds no object.
bool is_null(const ChangeSet::Object& object);

}  // namespace swarm::state
