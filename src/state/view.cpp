#include "state/view.h"

#include <algorithm>

#include <string>
#include <utility>

#include "base/check.h"
#include "state/tables.h"

namespace swarm::state {
namespace {

template <class Inner, class Id>
const Inner& group_of(const std::map<Id, Inner>& groups, const Id& id) {
  static const Inner kNone;
  const auto found = groups.find(id);
  return found == groups.end() ? kNone : found->second;
}

Status not_found(std::string_view kind, std::string_view reference) {
  return absl::NotFoundError(std::string(kind) + " \"" + std::string(reference) + "\" not found");
}

Status ambiguous(std::string_view kind, std::string_view reference, size_t matches) {
  return absl::InvalidArgumentError(std::string(kind) + " \"" + std::string(reference) +
                                    "\" is ambiguous (" + std::to_string(matches) +
                                    " matches found): use more of the id");
}

// The single one of `matches`, or the error for none or several.
template <class Pointer>
Result<Pointer> single(const std::vector<Pointer>& matches, std::string_view kind,
                       std::string_view reference) {
  if (matches.size() == 1) {
    return matches.front();
  }
  return matches.empty() ? not_found(kind, reference) : ambiguous(kind, reference, matches.size());
}

template <class T, class Predicate>
std::vector<std::shared_ptr<const T>> with_prefix(const Table<T>& objects, std::string_view prefix,
                                                  Predicate is_visible) {
  std::vector<std::shared_ptr<const T>> matches;
  if (prefix.empty()) {
    return matches;
  }
  const decltype(T::id) first{std::string(prefix)};
  for (auto it = objects.lower_bound(first);
       it != objects.end() && it->first.value().starts_with(prefix); ++it) {
    if (is_visible(*it->second)) {
      matches.push_back(it->second);
    }
  }
  return matches;
}

}  // namespace

model::Position View::position() const {
  return tables_->position;
}
const ClusterPtr& View::cluster() const {
  return tables_->cluster;
}

NodePtr View::node(const model::NodeId& id) const {
  return tables_->node(id);
}
ServicePtr View::service(const model::ServiceId& id) const {
  return tables_->service(id);
}
TaskPtr View::task(const model::TaskId& id) const {
  return tables_->task(id);
}

ServicePtr View::service_by_name(std::string_view name) const {
  const auto found = tables_->services_by_name.find(name);
  return found == tables_->services_by_name.end() ? nullptr : *found;
}

RevisionPtr View::revision(const model::ServiceId& service, model::RevisionNumber number) const {
  return tables_->revision({service, number});
}

const NodeTable& View::nodes() const {
  return tables_->nodes;
}
const ServiceTable& View::services() const {
  return tables_->services;
}
const TaskTable& View::tasks() const {
  return tables_->tasks;
}
const TaskTable& View::unplaced_tasks() const {
  return tables_->unplaced;
}

std::map<model::RevisionNumber, RevisionPtr> View::revisions_of(
    const model::ServiceId& service) const {
  return tables_->revisions_of(service);
}

const TaskTable& View::tasks_of(const model::ServiceId& service) const {
  return group_of(tables_->tasks_by_service, service);
}

const TaskTable& View::tasks_on(const model::NodeId& node) const {
  return group_of(tables_->tasks_by_node, node);
}

std::map<model::Slot, std::vector<TaskPtr>> View::slots_of(const model::ServiceId& service) const {
  std::map<model::Slot, std::vector<TaskPtr>> slots;
  for (const auto& [id, task] : tasks_of(service)) {
    slots[task->slot].push_back(task);
  }
  return slots;
}

const model::TaskTemplate& View::template_of(const model::Task& task) const {
  return stored_template(task.service, task.revision);
}

const model::TaskTemplate& View::template_of(const model::Service& service) const {
  return stored_template(service.id, service.revision);
}

const model::TaskTemplate& View::stored_template(const model::ServiceId& service,
                                                 model::RevisionNumber number) const {
  const RevisionPtr found = revision(service, number);
  SWARM_CHECK(found != nullptr, "revision " + std::to_string(number) + " of service " +
                                    service.value() + " is in use, but not stored");
  return found->task;  // the store holds it as well
}

Result<ServicePtr> View::find_service(std::string_view reference) const {
  ServicePtr exact = service(model::ServiceId(std::string(reference)));
  if (exact == nullptr || exact->is_removed) {
    exact = service_by_name(reference);
  }
  if (exact != nullptr) {
    return exact;
  }
  return single(with_prefix(services(), reference,
                            [](const model::Service& service) { return !service.is_removed; }),
                "service", reference);
}

Result<NodePtr> View::find_node(std::string_view reference) const {
  if (NodePtr exact = node(model::NodeId(std::string(reference)))) {
    return exact;
  }
  std::vector<NodePtr> named;
  for (const auto& [id, node] : nodes()) {
    if (!reference.empty() && node->description.hostname == reference) {
      named.push_back(node);
    }
  }
  if (!named.empty()) {
    return single(named, "node", reference);
  }
  return single(with_prefix(nodes(), reference, [](const model::Node&) { return true; }), "node",
                reference);
}

Result<TaskPtr> View::find_task(std::string_view reference) const {
  if (TaskPtr exact = task(model::TaskId(std::string(reference)))) {
    return exact;
  }
  // "web.3": the tasks of the slot that should live; when none should, all that are left.
  if (const size_t dot = reference.rfind('.'); dot != std::string_view::npos) {
    std::vector<TaskPtr> live;
    std::vector<TaskPtr> all;
    if (const ServicePtr owner = service_by_name(reference.substr(0, dot))) {
      for (const auto& [id, task] : tasks_of(owner->id)) {
        if (model::task_name(owner->settings.name, *task) != reference) continue;
        all.push_back(task);
        if (task->desired <= model::TaskState::running) live.push_back(task);
      }
    }
    return single(live.empty() ? all : live, "task", reference);
  }
  return single(with_prefix(tasks(), reference, [](const model::Task&) { return true; }), "task",
                reference);
}

model::HeartbeatTerms heartbeat_terms(const View& view) {
  const model::Cluster defaults;
  const ClusterPtr& stored = view.cluster();
  return model::heartbeat_terms(stored != nullptr ? *stored : defaults, view.nodes().size());
}

std::optional<WallTime> suspicion_end(const View& view, const model::Node& node) {
  if (node.status.state != model::NodeState::suspect) {
    return std::nullopt;
  }
  return node.status.at + heartbeat_terms(view).patience();
}

model::RevisionNumber last_converged(const View& view, const model::Service& service,
                                     model::RevisionNumber except) {
  const auto found = std::find_if(
      service.converged.rbegin(), service.converged.rend(), [&](model::RevisionNumber number) {
        return number != except && view.revision(service.id, number) != nullptr;
      });
  return found == service.converged.rend() ? 0 : *found;
}

std::set<model::RevisionNumber> revisions_in_use(const View& view, const model::Service& service) {
  std::set<model::RevisionNumber> numbers = {service.revision, service.previous_revision};
  if (service.rollout) {
    numbers.insert({service.rollout->from, service.rollout->to, service.rollout->previous});
  }
  // A rollback goes to the last that converged other than the present one.
  constexpr size_t kRollbackTargets = 2;
  const size_t converged = service.converged.size();
  for (size_t i = converged - std::min(converged, kRollbackTargets); i < converged; ++i) {
    numbers.insert(service.converged[i]);
  }
  for (const auto& [id, task] : view.tasks_of(service.id)) {
    numbers.insert(task->revision);
  }
  return numbers;
}

}  // namespace swarm::state
