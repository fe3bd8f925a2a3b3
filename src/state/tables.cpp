#include "state/tables.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>
#include <variant>

namespace swarm::state {
namespace {

// Puts `after` in the place of what has that key; null takes it out.
template <class Objects, class Key, class Pointer>
void replace(Objects& objects, const Key& key, const Pointer& after) {
  if (after == nullptr) {
    objects.erase(key);
  } else if constexpr (requires { objects.put(after); }) {
    objects.put(after);
  } else {
    objects.insert_or_assign(key, after);
  }
}

// As above in a map of groups, which keeps no empty ones.
template <class Outer, class Group, class Key, class Pointer>
void replace_in_group(Outer& outer, const Group& group, const Key& key, const Pointer& after) {
  if (after != nullptr) {
    replace(outer[group], key, after);
    return;
  }
  const auto found = outer.find(group);
  if (found != outer.end() && found->second.erase(key) && found->second.empty()) {
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

void apply_to(Objects& objects, const ClusterPtr&, const ClusterPtr& after) {
  objects.cluster = after;
}
void apply_to(Objects& objects, const NodePtr& before, const NodePtr& after) {
  replace(objects.nodes, either(before, after).id, after);
}
void apply_to(Objects& objects, const ServicePtr& before, const ServicePtr& after) {
  replace(objects.services, either(before, after).id, after);
}
void apply_to(Objects& objects, const RevisionPtr& before, const RevisionPtr& after) {
  replace(objects.revisions, RevisionKeyOf()(either(before, after)), after);
}
void apply_to(Objects& objects, const TaskPtr& before, const TaskPtr& after) {
  replace(objects.tasks, either(before, after).id, after);
}

void index(Tables&, const ClusterPtr&, const ClusterPtr&) {}
void index(Tables&, const NodePtr&, const NodePtr&) {}

void index(Tables& tables, const ServicePtr& before, const ServicePtr& after) {
  if (before != nullptr) {
    // Within one change set another service may have taken the name already.
    const auto found = tables.services_by_name.find(before);
    if (found != tables.services_by_name.end() && (*found)->id == before->id) {
      tables.services_by_name.erase(found);
    }
  }
  if (after != nullptr && !after->is_removed) {
    tables.services_by_name.erase(after);
    tables.services_by_name.insert(after);
  }
}

void index(Tables&, const RevisionPtr&, const RevisionPtr&) {}

void index(Tables& tables, const TaskPtr& before, const TaskPtr& after) {
  const model::TaskId& id = either(before, after).id;
  replace_in_group(tables.tasks_by_service, either(before, after).service, id, after);
  if (before != nullptr && !before->node.is_empty() &&
      (after == nullptr || after->node != before->node)) {
    replace_in_group(tables.tasks_by_node, before->node, id, TaskPtr());
  }
  if (after != nullptr && !after->node.is_empty()) {
    replace_in_group(tables.tasks_by_node, after->node, id, after);
  }
  if (is_unplaced(after)) {
    tables.unplaced.put(after);
  } else if (is_unplaced(before)) {
    tables.unplaced.erase(id);
  }
}

// Forgets objects of one group after the other. How many are still to be forgotten elsewhere.
template <class Groups>
size_t drop_groups(Groups& groups, size_t count) {
  while (count > 0 && !groups.empty()) {
    const auto group = std::prev(groups.end());
    const size_t dropped = std::min(count, group->second.size());
    group->second.drop(count);
    count -= dropped;
    if (group->second.empty()) {
      groups.erase(group);
    }
  }
  return count;
}

}  // namespace

void Objects::apply(const Change& change) {
  std::visit(
      [this, &change](const auto& before) {
        using Pointer = std::decay_t<decltype(before)>;
        apply_to(*this, before, std::get<Pointer>(change.after));
      },
      change.before);
}

void Tables::apply(const Change& change) {
  Objects::apply(change);
  std::visit(
      [this, &change](const auto& before) {
        using Pointer = std::decay_t<decltype(before)>;
        index(*this, before, std::get<Pointer>(change.after));
      },
      change.before);
}

void Tables::apply(const std::vector<Change>& changes, model::Position new_position) {
  for (const Change& change : changes) {
    apply(change);
  }
  position = new_position;
}

// Tasks are what there may be many of; each is freed with the last pointer to it.
bool Tables::drop(size_t count) {
  count = drop_groups(tasks_by_service, count);
  count = drop_groups(tasks_by_node, count);
  unplaced.drop(count);
  if (unplaced.empty()) {
    tasks.drop(count);
  }
  return !tasks.empty();
}

NodePtr Tables::node(const model::NodeId& id) const {
  return nodes.find(id);
}
ServicePtr Tables::service(const model::ServiceId& id) const {
  return services.find(id);
}
TaskPtr Tables::task(const model::TaskId& id) const {
  return tasks.find(id);
}

RevisionPtr Tables::revision(const RevisionKey& key) const {
  return revisions.find(std::tie(key.service, key.number));
}

std::map<model::RevisionNumber, RevisionPtr> Tables::revisions_of(
    const model::ServiceId& service) const {
  std::map<model::RevisionNumber, RevisionPtr> found;
  constexpr model::RevisionNumber kFirst = 0;
  for (auto it = revisions.lower_bound(std::tie(service, kFirst));
       it != revisions.end() && it->second->service == service; ++it) {
    found.emplace_hint(found.end(), it->second->number, it->second);
  }
  return found;
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
