#include "control/services.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "control/constraints.h"
#include "control/generated_name.h"
#include "control/ports.h"
#include "model/validate.h"
#include "wire/bytes.h"

namespace swarm::control {
namespace {

using model::RevisionNumber;

std::string name_of(const model::Service& service) {
  return "service \"" + service.settings.name + "\"";
}

Status no_such_service(std::string_view reference) {
  return absl::NotFoundError("service \"" + std::string(reference) +
                             "\" not found: `swarmctl service ls` lists the services");
}

// Finds what a person named, with the cure in the error.
Result<state::ServicePtr> find(const Context& context, std::string_view reference) {
  Result<state::ServicePtr> service = context.view.find_service(reference);
  return absl::IsNotFound(service.status()) ? no_such_service(reference) : service;
}

void normalise(model::Placement* placement) {
  normalise_constraints(&placement->constraints);
  for (std::string& preference : placement->preferences) {
    if (Result<std::string> descriptor = model::parse_preference(preference); descriptor.ok()) {
      preference = *std::move(descriptor);
    }
  }
}

// Brings what means the same into the same form, so that a new revision means a real difference.
void normalise(model::TaskTemplate* task) {
  std::sort(task->ports.begin(), task->ports.end());
  if (task->placement) {
    normalise(&task->placement.edit());
  }
  task->container.health.drop_if_default();  // which says only what the image says anyway
}

Status check_spec(const model::ServiceSpec& spec) {
  SWARM_RETURN_IF_ERROR(model::validate_spec(spec));
  const size_t size = wire::to_bytes(spec).size();
  if (size > model::kMaxSpecBytes) {
    return absl::InvalidArgumentError("the spec of service \"" + spec.name + "\" has " +
                                      std::to_string(size) + " bytes: at most " +
                                      std::to_string(model::kMaxSpecBytes) + " are accepted");
  }
  return absl::OkStatus();
}

// Removes the oldest revisions past the history, as things stand once `service` is stored.
void trim_history(const state::View& view, const model::Service& service,
                  state::ChangeSet* changes) {
  const std::set<RevisionNumber> in_use = state::revisions_in_use(view, service);
  const auto revisions = view.revisions_of(service.id);
  size_t kept = 0;
  for (auto it = revisions.rbegin(); it != revisions.rend(); ++it) {
    if (in_use.contains(it->first)) continue;
    if (++kept > model::kRevisionHistory) {
      changes->remove(state::RevisionKey{service.id, it->first});
    }
  }
}

model::Rollout start_rollout(model::RolloutState state, RevisionNumber from, RevisionNumber to,
                             WallTime now, std::string message) {
  model::Rollout rollout;
  rollout.state = state;
  rollout.from = from;
  rollout.to = to;
  rollout.started_at = now;
  rollout.message = std::move(message);
  return rollout;
}

// Points the service at another revision: where it was becomes the previous one.
void switch_revision(model::Service* service, RevisionNumber to, model::RolloutState state,
                     WallTime now, std::string message) {
  service->rollout = start_rollout(state, service->revision, to, now, std::move(message));
  service->rollout.edit().previous = service->previous_revision;
  service->previous_revision = service->revision;
  service->revision = to;
}

bool is_paused(const model::Service& service) {
  return service.rollout && model::is_paused(service.rollout->state);
}

// A rollout that stands still begins anew to the same revision: what failed before is no failure of
// it, and it has a trial of its own.
void resume(model::Service* service, WallTime now) {
  const model::Rollout& paused = *service->rollout;
  const bool is_rollback = paused.state == model::RolloutState::rollback_paused;
  model::Rollout rollout = start_rollout(
      is_rollback ? model::RolloutState::rollback_started : model::RolloutState::updating,
      paused.from, paused.to, now, is_rollback ? "rollback in progress" : "update in progress");
  rollout.previous = paused.previous;
  rollout.is_automatic = paused.is_automatic;
  rollout.cause = paused.cause;
  service->rollout = std::move(rollout);
}

std::string history_text(const state::View& view, const model::ServiceId& service) {
  std::string text;
  for (const auto& [number, revision] : view.revisions_of(service)) {
    text += (text.empty() ? "" : ", ") + std::to_string(number);
  }
  return text;
}

Result<RevisionNumber> rollback_target(const state::View& view, const model::Service& service,
                                       std::optional<RevisionNumber> to) {
  const RevisionNumber converged = state::last_converged(view, service, service.revision);
  if (!to && converged == 0) {
    if (service.previous_revision == 0) {
      return absl::FailedPreconditionError(
          name_of(service) +
          " does not have a previous revision: update it first, or name one of its history");
    }
    return absl::FailedPreconditionError(
        "no other revision of " + name_of(service) +
        " has converged: name one of its history with `swarmctl service rollback --to`: " +
        history_text(view, service.id));
  }
  const RevisionNumber target = to.value_or(converged);
  if (view.revision(service.id, target) == nullptr) {
    return absl::NotFoundError(name_of(service) + " has no revision " + std::to_string(target) +
                               ": its history holds " + history_text(view, service.id));
  }
  return target;
}

Status check_update(const model::Service& stored, model::Position version,
                    const model::ServiceSpec& spec) {
  if (version != stored.meta.version) {
    return absl::AbortedError("update out of sequence: " + name_of(stored) +
                              " has changed meanwhile (version " +
                              std::to_string(stored.meta.version) + ", yours is " +
                              std::to_string(version) + "): read it again and repeat the update");
  }
  if (spec.name != stored.settings.name) {
    return absl::InvalidArgumentError(name_of(stored) + " cannot be renamed to \"" + spec.name +
                                      "\": create a service of that name and remove this one");
  }
  return absl::OkStatus();
}

}  // namespace

model::ServiceId service_id_of(uint64_t request) {
  Random from_request(request);
  return model::ServiceId(random_id(from_request));
}

Result<CreatedService> create_service(Context context, model::ServiceSpec spec,
                                      model::ServiceId id) {
  if (spec.name.empty()) {
    spec.name = generate_name(context.view, context.random);
  }
  normalise(&spec.task);
  SWARM_RETURN_IF_ERROR(check_spec(spec));
  SWARM_RETURN_IF_ERROR(resolve_node_ids(context.view, {}, &spec.task));
  if (context.view.service_by_name(spec.name) != nullptr) {
    return absl::AlreadyExistsError("a service named \"" + spec.name +
                                    "\" already exists: choose another name, or update that one");
  }
  CreatedService created;
  created.id = id.is_empty() ? model::ServiceId(random_id(context.random)) : std::move(id);
  SWARM_RETURN_IF_ERROR(check_ports_free(context.view, created.id, spec.task.ports));
  SWARM_RETURN_IF_ERROR(assign_ports(context.view, created.id, {}, &spec.task.ports));
  std::sort(spec.task.ports.begin(), spec.task.ports.end());

  model::Revision revision;
  revision.service = created.id;
  revision.number = 1;
  revision.task = std::move(spec.task);
  model::Service service;
  service.id = created.id;
  service.settings = std::move(static_cast<model::ServiceSettings&>(spec));
  service.revision = 1;
  service.last_revision = 1;
  created.changes.put(std::move(service));
  created.changes.put(std::move(revision));
  return created;
}

Result<state::ChangeSet> update_service(Context context, const model::ServiceId& id,
                                        model::Position version, model::ServiceSpec spec) {
  const state::ServicePtr stored = context.view.service(id);
  if (stored == nullptr || stored->is_removed) {
    return no_such_service(id.value());
  }
  SWARM_RETURN_IF_ERROR(check_update(*stored, version, spec));
  normalise(&spec.task);
  SWARM_RETURN_IF_ERROR(check_spec(spec));
  const model::TaskTemplate& current = context.view.template_of(*stored);
  SWARM_RETURN_IF_ERROR(resolve_node_ids(context.view, current.placement->constraints, &spec.task));
  SWARM_RETURN_IF_ERROR(assign_ports(context.view, id, current.ports, &spec.task.ports));
  std::sort(spec.task.ports.begin(), spec.task.ports.end());
  if (spec.task.ports != current.ports) {
    SWARM_RETURN_IF_ERROR(check_ports_free(context.view, id, spec.task.ports));
  }
  const bool has_new_template = spec.task != current;
  const bool resumes = !has_new_template && is_paused(*stored);
  state::ChangeSet changes;
  model::Service service = *stored;
  service.settings = std::move(static_cast<model::ServiceSettings&>(spec));
  if (!has_new_template && !resumes && service.settings == stored->settings) {
    return changes;
  }
  if (resumes) {
    resume(&service, context.now);
  }
  if (has_new_template) {
    model::Revision revision;
    revision.service = id;
    revision.number = ++service.last_revision;
    revision.task = std::move(spec.task);
    switch_revision(&service, revision.number, model::RolloutState::updating, context.now,
                    "update in progress");
    changes.put(std::move(revision));
    trim_history(context.view, service, &changes);
  }
  changes.put(std::move(service));
  return changes;
}

Result<state::ChangeSet> rollback_service(Context context, std::string_view reference,
                                          std::optional<RevisionNumber> to) {
  SWARM_ASSIGN_OR_RETURN(const state::ServicePtr stored, find(context, reference));
  SWARM_ASSIGN_OR_RETURN(const RevisionNumber target, rollback_target(context.view, *stored, to));
  state::ChangeSet changes;
  if (target == stored->revision) {
    return changes;
  }
  const std::vector<model::PublishedPort>& ports =
      context.view.revision(stored->id, target)->task.ports;
  if (ports != context.view.template_of(*stored).ports) {
    SWARM_RETURN_IF_ERROR(check_ports_free(context.view, stored->id, ports));
  }
  model::Service service = *stored;
  switch_revision(&service, target, model::RolloutState::rollback_started, context.now,
                  "manually requested rollback");
  changes.put(std::move(service));
  return changes;
}

Result<state::ChangeSet> scale_service(Context context, std::string_view reference,
                                       uint64_t replicas) {
  SWARM_ASSIGN_OR_RETURN(const state::ServicePtr stored, find(context, reference));
  if (replicas > model::kMaxReplicas) {
    return absl::InvalidArgumentError("replicas " + std::to_string(replicas) +
                                      " is too large: use 0 to " +
                                      std::to_string(model::kMaxReplicas));
  }
  state::ChangeSet changes;
  if (replicas != stored->settings.replicas) {
    model::Service service = *stored;
    service.settings.replicas = replicas;
    changes.put(std::move(service));
  }
  return changes;
}

Result<state::ChangeSet> remove_service(Context context, std::string_view reference) {
  SWARM_ASSIGN_OR_RETURN(const state::ServicePtr stored, find(context, reference));
  model::Service service = *stored;
  service.is_removed = true;
  state::ChangeSet changes;
  changes.put(std::move(service));
  return changes;
}

}  // namespace swarm::control
