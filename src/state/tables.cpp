#include "state/tables.h"

#include <utility>
#include <variant>

namespace swarm::state {
namespace {

template <class Map, class Id>
typename Map::mapped_type find_in(const Map& map, const Id& id) {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : found->second;
}

// Puts `after` in the place of `before`; either may be null.
template <class Map, class Id, class Pointer>
void replace(Map& map, const Id& id, const Pointer& after) {
  if (after == nullptr) {
    map.erase(id);
  } else {
    map.insert_or_assign(id, after);
  }
}

// As above in a map of maps, which keeps no empty ones.
template <class Outer, class Group, class Id, class Pointer>
void replace_in_group(Outer& outer, const Group& group, const Id& id, const Pointer& after) {
  if (after != nullptr) {
    outer[group].insert_or_assign(id, after);
    return;
  }
  const auto found = outer.find(group);
  if (found != outer.end() && found->second.erase(id) > 0 && found->second.empty()) {
    outer.erase(found);
  }
}

// The object a change is about: as it is, or as it was when it is gone.
template <class Pointer>
const auto& either(const Pointer& before, const Pointer& after) {
  return after != nullptr ? *after : *before;
}

bool is_unplaced(const TaskPtr& task) {
  return task != nullptr && task->status.state == model::TaskState::pending &&
         task->desired <= model::TaskState::running && task->node.is_empty();
}

void apply_one(Tables& tables, const ClusterPtr&, const ClusterPtr& after) {
  tables.cluster = after;
}

void apply_one(Tables& tables, const NodePtr& before, const NodePtr& after) {
  replace(tables.nodes, either(before, after).id, after);
}

void apply_one(Tables& tables, const ServicePtr& before, const ServicePtr& after) {
  const model::ServiceId& id = either(before, after).id;
  replace(tables.services, id, after);
  if (before != nullptr) {
    // Within one change set another service may have taken the name already.
    const auto found = tables.services_by_name.find(before->spec.name);
    if (found != tables.services_by_name.end() && found->second->id == id) {
      tables.services_by_name.erase(found);
    }
  }
  if (after != nullptr && !after->is_removed) {
    tables.services_by_name.insert_or_assign(after->spec.name, after);
  }
}

void apply_one(Tables& tables, const RevisionPtr& before, const RevisionPtr& after) {
  const model::Revision& revision = either(before, after);
  replace_in_group(tables.revisions, revision.service, revision.number, after);
}

void apply_one(Tables& tables, const TaskPtr& before, const TaskPtr& after) {
  const model::TaskId& id = either(before, after).id;
  replace(tables.tasks, id, after);
  replace_in_group(tables.tasks_by_service, either(before, after).service, id, after);
  if (before != nullptr && !before->node.is_empty() &&
      (after == nullptr || after->node != before->node)) {
    replace_in_group(tables.tasks_by_node, before->node, id, TaskPtr());
  }
  if (after != nullptr && !after->node.is_empty()) {
    replace_in_group(tables.tasks_by_node, after->node, id, after);
  }
  if (is_unplaced(after)) {
    tables.unplaced.insert_or_assign(id, after);
  } else if (is_unplaced(before)) {
    tables.unplaced.erase(id);
  }
}

}  // namespace

void Tables::apply(const Change& change) {
  std::visit(
      [this, &change](const auto& before) {
        using Pointer = std::decay_t<decltype(before)>;
        apply_one(*this, before, std::get<Pointer>(change.after));
      },
      change.before);
}

void Tables::apply(const std::vector<Change>& changes, model::Position new_position) {
  for (const Change& change : changes) {
    apply(change);
  }
  position = new_position;
}

NodePtr Tables::node(const model::NodeId& id) const {
  return find_in(nodes, id);
}
ServicePtr Tables::service(const model::ServiceId& id) const {
  return find_in(services, id);
}
TaskPtr Tables::task(const model::TaskId& id) const {
  return find_in(tasks, id);
}

RevisionPtr Tables::revision(const RevisionKey& key) const {
  const auto found = revisions.find(key.service);
  return found == revisions.end() ? nullptr : find_in(found->second, key.number);
}

ChangeSet::Object Tables::find(const ChangeSet::Object& object) const {
  struct Finder {
    const Tables& tables;
    ChangeSet::Object operator()(const ClusterPtr&) const { return tables.cluster; }
    ChangeSet::Object operator()(const NodePtr& node) const { return tables.node(node->id); }
    ChangeSet::Object operator()(const ServicePtr& service) const {
      return tables.service(service->id);
    }
    ChangeSet::Object operator()(const RevisionPtr& revision) const {
      return tables.revision({revision->service, revision->number});
    }
    ChangeSet::Object operator()(const TaskPtr& task) const { return tables.task(task->id); }
  };
  return std::visit(Finder{*this}, object);
}

ChangeSet::Object Tables::find(const ChangeSet::Key& key) const {
  struct Finder {
    const Tables& tables;
    ChangeSet::Object operator()(const model::NodeId& id) const { return tables.node(id); }
    ChangeSet::Object operator()(const model::ServiceId& id) const { return tables.service(id); }
    ChangeSet::Object operator()(const RevisionKey& key) const { return tables.revision(key); }
    ChangeSet::Object operator()(const model::TaskId& id) const { return tables.task(id); }
  };
  return std::visit(Finder{*this}, key);
}

std::vector<Change> reversed(const std::vector<Change>& changes) {
  std::vector<Change> result;
  result.reserve(changes.size());
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    result.push_back({change->after, change->before});
  }
  return result;
}

bool is_null(const ChangeSet::Object& object) {
  return std::visit([](const auto& pointer) { return pointer == nullptr; }, object);
}

}  // namespace swarm::state
