#include "state/transaction.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace swarm::state {
namespace {

std::string describe(const model::Cluster&) {
  return "the cluster object";
}
std::string describe(const model::Node& node) {
  return "node " + node.id.value();
}
std::string describe(const model::Service& service) {
  return "service \"" + service.settings.name + "\"";
}
std::string describe(const model::Revision& revision) {
  return "revision " + std::to_string(revision.number) + " of service " + revision.service.value();
}
std::string describe(const model::Task& task) {
  return "task " + task.id.value();
}

std::string describe(const model::NodeId& id) {
  return "node " + id.value();
}
std::string describe(const model::ServiceId& id) {
  return "service " + id.value();
}
std::string describe(const RevisionKey& key) {
  return "revision " + std::to_string(key.number) + " of service " + key.service.value();
}
std::string describe(const model::TaskId& id) {
  return "task " + id.value();
}

// What makes two entries of a change set be about the same object. Points into the change set.
struct Identity {
  size_t kind = 0;
  std::string_view id;
  model::RevisionNumber number = 0;

  auto operator<=>(const Identity&) const = default;
};

Identity identity_of(const model::Cluster&) {
  return {0, {}, 0};
}
Identity identity_of(const model::Node& node) {
  return {1, node.id.value(), 0};
}
Identity identity_of(const model::Service& service) {
  return {2, service.id.value(), 0};
}
Identity identity_of(const model::Revision& revision) {
  return {3, revision.service.value(), revision.number};
}
Identity identity_of(const model::Task& task) {
  return {4, task.id.value(), 0};
}
Identity identity_of(const model::NodeId& id) {
  return {1, id.value(), 0};
}
Identity identity_of(const model::ServiceId& id) {
  return {2, id.value(), 0};
}
Identity identity_of(const RevisionKey& key) {
  return {3, key.service.value(), key.number};
}
Identity identity_of(const model::TaskId& id) {
  return {4, id.value(), 0};
}

Status check_once(const ChangeSet& changes) {
  std::vector<Identity> seen;
  seen.reserve(changes.puts.size() + changes.removals.size());
  for (const ChangeSet::Object& object : changes.puts) {
    SWARM_CHECK(!is_null(object), "a change set puts objects, saw a null pointer");
    seen.push_back(std::visit([](const auto& one) { return identity_of(*one); }, object));
  }
  for (const ChangeSet::Key& key : changes.removals) {
    seen.push_back(std::visit([](const auto& one) { return identity_of(one); }, key));
  }
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  if (twice != seen.end()) {
    constexpr std::string_view kKinds[] = {"the cluster object", "node ", "service ",
                                           "revision of service ", "task "};
    return absl::InvalidArgumentError(std::string(kKinds[twice->kind]) + std::string(twice->id) +
                                      " occurs twice in one transaction");
  }
  return absl::OkStatus();
}

Status check_unchangeable(const model::Cluster& before, const model::Cluster& after) {
  return before.id == after.id ? absl::OkStatus()
                               : absl::AlreadyExistsError("this swarm has a cluster object");
}
Status check_unchangeable(const model::Node&, const model::Node&) {
  return absl::OkStatus();
}
Status check_unchangeable(const model::Service&, const model::Service&) {
  return absl::OkStatus();
}
Status check_unchangeable(const model::Revision& before, const model::Revision& after) {
  return before.task == after.task
             ? absl::OkStatus()
             : absl::InvalidArgumentError(describe(after) + " cannot be changed: make a new one");
}
Status check_unchangeable(const model::Task& before, const model::Task& after) {
  return before.service == after.service && before.slot == after.slot
             ? absl::OkStatus()
             : absl::InvalidArgumentError(describe(after) +
                                          " cannot move to another slot: make a new one");
}

// Builds the list of changes, one object after the other.
class Planner {
 public:
  Planner(const Tables& tables, model::Position position, WallTime now)
      : tables_(tables), position_(position), now_(now) {}

  Status put(const ChangeSet::Object& object) {
    return std::visit([this](const auto& pointer) { return put_one(pointer); }, object);
  }

  Status remove(const ChangeSet::Key& key) {
    ChangeSet::Object before = tables_.find(key);
    if (is_null(before)) {
      return absl::AbortedError(std::visit([](const auto& one) { return describe(one); }, key) +
                                " was removed meanwhile");
    }
    ChangeSet::Object none =
        std::visit([](auto pointer) { return ChangeSet::Object(decltype(pointer)()); }, before);
    changes_.push_back({std::move(before), std::move(none)});
    return absl::OkStatus();
  }

  std::vector<Change> take() { return std::move(changes_); }

 private:
  template <class T>
  Status put_one(const std::shared_ptr<const T>& object) {
    using Pointer = std::shared_ptr<const T>;
    Pointer before = std::get<Pointer>(tables_.find(ChangeSet::Object(object)));
    SWARM_RETURN_IF_ERROR(check_version(*object, before.get()));
    auto after = std::make_shared<T>(*object);
    after->meta.version = position_;
    after->meta.created_at = before != nullptr ? before->meta.created_at : now_;
    after->meta.updated_at = now_;
    changes_.push_back({std::move(before), Pointer(std::move(after))});
    return absl::OkStatus();
  }

  template <class T>
  static Status check_version(const T& object, const T* before) {
    if (object.meta.version == 0) {
      return before == nullptr ? absl::OkStatus()
                               : absl::AlreadyExistsError(describe(object) + " exists already");
    }
    if (before == nullptr) {
      return absl::AbortedError(describe(object) + " was removed meanwhile");
    }
    if (before->meta.version != object.meta.version) {
      return absl::AbortedError(describe(object) + " has changed meanwhile (version " +
                                std::to_string(before->meta.version) + ", yours is " +
                                std::to_string(object.meta.version) +
                                "): read it again and repeat the change");
    }
    return check_unchangeable(*before, object);
  }

  const Tables& tables_;
  model::Position position_;
  WallTime now_;
  std::vector<Change> changes_;
};

// The tables as they would be after the changes, as far as references between objects need it.
class Outcome {
 public:
  Outcome(const Tables& tables, const std::vector<Change>& changes) : tables_(tables) {
    for (const Change& change : changes) {
      std::visit(
          [this, &change](const auto& before) {
            note(before, std::get<std::decay_t<decltype(before)>>(change.after));
          },
          change.before);
    }
  }

  bool has_service(const model::ServiceId& id) const {
    const auto found = services_.find(id);
    return (found != services_.end() ? found->second : tables_.service(id)) != nullptr;
  }
  bool has_revision(const RevisionKey& key) const {
    const auto found = revisions_.find(key);
    return (found != revisions_.end() ? found->second : tables_.revision(key)) != nullptr;
  }
  // Whether tasks of its service are to be of it.
  bool is_at(const model::Revision& revision) const {
    const auto found = services_.find(revision.service);
    const ServicePtr service =
        found != services_.end() ? found->second : tables_.service(revision.service);
    return service != nullptr && service->revision == revision.number;
  }
  bool has_task(const TaskPtr& stored) const {
    const auto found = tasks_.find(stored->id);
    return (found != tasks_.end() ? found->second : stored) != nullptr;
  }
  // Whether the service that has this name now gives it up.
  bool frees_name(const ServicePtr& holder, const std::string& name) const {
    const auto found = services_.find(holder->id);
    return found != services_.end() && (found->second == nullptr || found->second->is_removed ||
                                        found->second->settings.name != name);
  }

 private:
  void note(const ClusterPtr&, const ClusterPtr&) {}
  void note(const NodePtr&, const NodePtr&) {}
  void note(const ServicePtr& before, const ServicePtr& after) {
    services_[after != nullptr ? after->id : before->id] = after;
  }
  void note(const RevisionPtr& before, const RevisionPtr& after) {
    const model::Revision& revision = after != nullptr ? *after : *before;
    revisions_[{revision.service, revision.number}] = after;
  }
  void note(const TaskPtr& before, const TaskPtr& after) {
    if (after == nullptr) {
      tasks_[before->id] = after;
    }
  }

  const Tables& tables_;
  std::map<model::ServiceId, ServicePtr> services_;
  std::map<RevisionKey, RevisionPtr> revisions_;
  std::map<model::TaskId, TaskPtr> tasks_;  // removed ones only: nothing else is asked
};

// Refuses what would leave a reference to nothing, or two live services of one name.
class ReferenceCheck {
 public:
  ReferenceCheck(const Tables& tables, const std::vector<Change>& changes)
      : tables_(tables), outcome_(tables, changes) {}

  Status check(const Change& change) {
    return std::visit(
        [this, &change](const auto& before) {
          using Pointer = std::decay_t<decltype(before)>;
          const Pointer& after = std::get<Pointer>(change.after);
          return after != nullptr ? check_put(*after) : check_removal(*before);
        },
        change.before);
  }

 private:
  Status check_put(const model::Cluster&) { return absl::OkStatus(); }
  Status check_put(const model::Node&) { return absl::OkStatus(); }

  Status check_put(const model::Service& service) {
    const RevisionKey key{service.id, service.revision};
    if (!outcome_.has_revision(key)) {
      return absl::AbortedError(describe(service) + " is at no revision: " + describe(key) +
                                " was removed");
    }
    if (service.is_removed) {
      return absl::OkStatus();
    }
    const std::string& name = service.settings.name;
    const auto found = tables_.services_by_name.find(name);
    const bool is_taken = found != tables_.services_by_name.end() && (*found)->id != service.id &&
                          !outcome_.frees_name(*found, name);
    if (is_taken || !new_names_.insert(name).second) {
      return absl::AlreadyExistsError("a service named \"" + name +
                                      "\" already exists: choose another name");
    }
    return absl::OkStatus();
  }

  Status check_put(const model::Revision& revision) {
    return outcome_.has_service(revision.service)
               ? absl::OkStatus()
               : absl::AbortedError(describe(revision) + " has no service: it was removed");
  }

  Status check_put(const model::Task& task) {
    const RevisionKey key{task.service, task.revision};
    if (!outcome_.has_service(task.service)) {
      return absl::AbortedError(describe(task) + " has no service: " + describe(task.service) +
                                " was removed");
    }
    return outcome_.has_revision(key)
               ? absl::OkStatus()
               : absl::AbortedError(describe(task) + " has no revision: " + describe(key) +
                                    " was removed");
  }

  Status check_removal(const model::Cluster&) { return absl::OkStatus(); }
  Status check_removal(const model::Node&) { return absl::OkStatus(); }
  Status check_removal(const model::Task&) { return absl::OkStatus(); }

  Status check_removal(const model::Service& service) {
    for (const auto& [number, revision] : tables_.revisions_of(service.id)) {
      if (outcome_.has_revision({service.id, number})) {
        return absl::AbortedError(describe(service) + " still has " + describe(*revision));
      }
    }
    return check_unused(service.id, std::nullopt, describe(service));
  }

  Status check_removal(const model::Revision& revision) {
    if (outcome_.is_at(revision)) {
      return absl::AbortedError(describe(revision) + " is the one it is at");
    }
    return check_unused(revision.service, revision.number, describe(revision));
  }

  // No task of the service (of that revision) stays.
  Status check_unused(const model::ServiceId& service, std::optional<model::RevisionNumber> number,
                      const std::string& name) {
    const auto tasks = tables_.tasks_by_service.find(service);
    if (tasks == tables_.tasks_by_service.end()) {
      return absl::OkStatus();
    }
    for (const auto& [id, task] : tasks->second) {
      if ((!number || task->revision == *number) && outcome_.has_task(task)) {
        return absl::AbortedError(name + " is in use by " + describe(*task));
      }
    }
    return absl::OkStatus();
  }

  const Tables& tables_;
  Outcome outcome_;
  std::set<std::string> new_names_;
};

}  // namespace

Result<std::vector<Change>> plan_transaction(const Tables& tables, const ChangeSet& changes,
                                             model::Position position, WallTime now) {
  SWARM_RETURN_IF_ERROR(check_once(changes));
  Planner planner(tables, position, now);
  for (const ChangeSet::Object& object : changes.puts) {
    SWARM_RETURN_IF_ERROR(planner.put(object));
  }
  for (const ChangeSet::Key& key : changes.removals) {
    SWARM_RETURN_IF_ERROR(planner.remove(key));
  }
  std::vector<Change> planned = planner.take();
  ReferenceCheck references(tables, planned);
  for (const Change& change : planned) {
    SWARM_RETURN_IF_ERROR(references.check(change));
  }
  return planned;
}

}  // namespace swarm::state
