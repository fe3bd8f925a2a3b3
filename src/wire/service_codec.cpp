#include "wire/service_codec.h"

#include <limits>
#include <string>
#include <utility>

#include "model/validate.h"
#include "wire/enum_codec.h"
#include "wire/fields.h"

namespace swarm::wire {

// ---- words shared by several objects ----

void encode_labels(const model::Labels& labels, LabelList* out) {
  for (const auto& [key, value] : labels) {
    v1::Label* label = out->Add();
    label->set_key(key);
    label->set_value(value);
  }
}

Result<model::Labels> decode_labels(const LabelList& in) {
  std::vector<model::Labels::value_type> list;
  list.reserve(static_cast<size_t>(in.size()));
  for (const v1::Label& label : in) {
    list.emplace_back(label.key(), label.value());
  }
  std::string repeated;
  std::optional<model::Labels> labels = model::Labels::from(std::move(list), repeated);
  if (!labels) {
    return absl::InvalidArgumentError("label \"" + repeated + "\" occurs twice");
  }
  return *std::move(labels);
}

void encode(const model::Meta& meta, v1::Meta* out) {
  out->set_version(meta.version);
  out->set_created_at_ns(to_ns(meta.created_at));
  out->set_updated_at_ns(to_ns(meta.updated_at));
}

model::Meta decode(const v1::Meta& in) {
  return {in.version(), time_of(in.created_at_ns()), time_of(in.updated_at_ns())};
}

namespace {

// ---- parts of a task template ----

void encode_health(const model::HealthCheck& health, v1::HealthCheck* out) {
  encode_list(health.test, out->mutable_test());
  out->set_interval_ns(to_ns(health.interval));
  out->set_timeout_ns(to_ns(health.timeout));
  out->set_start_period_ns(to_ns(health.start_period));
  out->set_retries(health.retries);
}

model::HealthCheck decode_health(const v1::HealthCheck& in) {
  model::HealthCheck health;
  health.test = decode_list(in.test());
  health.interval = duration_of(in.interval_ns());
  health.timeout = duration_of(in.timeout_ns());
  health.start_period = duration_of(in.start_period_ns());
  health.retries = in.retries();
  return health;
}

void encode_mount(const model::Mount& mount, v1::Mount* out) {
  out->set_type(encode(mount.type));
  out->set_source(mount.source);
  out->set_target(mount.target);
  out->set_read_only(mount.read_only);
}

Result<model::Mount> decode_mount(const v1::Mount& in) {
  model::Mount mount;
  SWARM_ASSIGN_OR_RETURN(mount.type, decode(in.type()));
  mount.source = in.source();
  mount.target = in.target();
  mount.read_only = in.read_only();
  return mount;
}

void encode_overrides(const model::ContainerOverrides& overrides, v1::ContainerSpec* out) {
  encode_list(overrides.entrypoint, out->mutable_entrypoint());
  out->set_workdir(overrides.workdir);
  out->set_user(overrides.user);
  out->set_hostname(overrides.hostname);
  out->set_stop_signal(overrides.stop_signal);
}

model::ContainerOverrides decode_overrides(const v1::ContainerSpec& in) {
  return {.entrypoint = decode_list(in.entrypoint()),
          .workdir = in.workdir(),
          .user = in.user(),
          .hostname = in.hostname(),
          .stop_signal = in.stop_signal()};
}

void encode_container(const model::ContainerSpec& container, v1::ContainerSpec* out) {
  out->set_image(container.image);
  encode_overrides(*container.overrides, out);
  encode_list(container.args, out->mutable_args());
  encode_list(container.env, out->mutable_env());
  encode_labels(*container.labels, out->mutable_labels());
  for (const model::Mount& mount : container.mounts) {
    encode_mount(mount, out->add_mounts());
  }
  if (container.health) {
    encode_health(*container.health, out->mutable_health());
  }
  out->set_read_only(container.read_only);
  out->set_init(container.init);
  out->set_stop_grace_period_ns(to_ns(container.stop_grace_period));
}

Result<model::ContainerSpec> decode_container(const v1::ContainerSpec& in) {
  model::ContainerSpec container;
  container.image = in.image();
  container.args = decode_list(in.args());
  container.env = decode_list(in.env());
  container.overrides = decode_overrides(in);
  container.overrides.drop_if_default();
  SWARM_ASSIGN_OR_RETURN(container.labels, decode_labels(in.labels()));
  container.labels.drop_if_default();
  SWARM_ASSIGN_OR_RETURN(container.mounts, decode_all<model::Mount>(in.mounts(), decode_mount));
  if (in.has_health()) {
    container.health = decode_health(in.health());
  }
  container.read_only = in.read_only();
  container.init = in.init();
  container.stop_grace_period = duration_of(in.stop_grace_period_ns());
  return container;
}

void encode_requirements(const model::ResourceRequirements& requirements,
                         v1::ResourceRequirements* out) {
  encode(requirements.reservations, out->mutable_reservations());
  encode(requirements.limits, out->mutable_limits());
  out->set_pids_limit(requirements.pids_limit);
}

Result<model::ResourceRequirements> decode_requirements(const v1::ResourceRequirements& in) {
  model::ResourceRequirements requirements;
  SWARM_ASSIGN_OR_RETURN(requirements.reservations, decode(in.reservations()));
  SWARM_ASSIGN_OR_RETURN(requirements.limits, decode(in.limits()));
  requirements.pids_limit = in.pids_limit();
  return requirements;
}

void encode_restart(const model::RestartPolicy& restart, v1::RestartPolicy* out) {
  out->set_condition(encode(restart.condition));
  out->set_delay_ns(to_ns(restart.delay));
  out->set_max_attempts(restart.max_attempts);
  out->set_window_ns(to_ns(restart.window));
}

Result<model::RestartPolicy> decode_restart(const v1::RestartPolicy& in) {
  model::RestartPolicy restart;
  SWARM_ASSIGN_OR_RETURN(restart.condition, decode(in.condition()));
  restart.delay = duration_of(in.delay_ns());
  restart.max_attempts = in.max_attempts();
  restart.window = duration_of(in.window_ns());
  return restart;
}

void encode_placement(const model::Placement& placement, v1::Placement* out) {
  encode_list(placement.constraints, out->mutable_constraints());
  encode_list(placement.preferences, out->mutable_preferences());
  out->set_max_replicas_per_node(placement.max_replicas_per_node);
}

model::Placement decode_placement(const v1::Placement& in) {
  model::Placement placement;
  placement.constraints = decode_list(in.constraints());
  placement.preferences = decode_list(in.preferences());
  placement.max_replicas_per_node = in.max_replicas_per_node();
  return placement;
}

Result<uint16_t> decode_port_number(uint32_t number) {
  if (number > std::numeric_limits<uint16_t>::max()) {
    return absl::InvalidArgumentError("port " + std::to_string(number) +
                                      " is out of range: use 1 to 65535");
  }
  return static_cast<uint16_t>(number);
}

}  // namespace

void encode(const model::PublishedPort& port, v1::PublishedPort* out) {
  out->set_target(port.target);
  out->set_published(port.published);
  out->set_protocol(encode(port.protocol));
  out->set_mode(encode(port.mode));
}

Result<model::PublishedPort> decode(const v1::PublishedPort& in) {
  model::PublishedPort port;
  SWARM_ASSIGN_OR_RETURN(port.target, decode_port_number(in.target()));
  SWARM_ASSIGN_OR_RETURN(port.published, decode_port_number(in.published()));
  SWARM_ASSIGN_OR_RETURN(port.protocol, decode(in.protocol()));
  SWARM_ASSIGN_OR_RETURN(port.mode, decode(in.mode()));
  return port;
}

void encode(const model::Resources& resources, v1::Resources* out) {
  out->set_nano_cpus(resources.nano_cpus);
  out->set_memory_bytes(resources.memory_bytes);
}

Result<model::Resources> decode(const v1::Resources& in) {
  return model::Resources{in.nano_cpus(), in.memory_bytes()};
}

void encode(const model::TaskTemplate& task, v1::TaskTemplate* out) {
  encode_container(task.container, out->mutable_container());
  if (task.resources) {
    encode_requirements(*task.resources, out->mutable_resources());
  }
  encode_restart(*task.restart, out->mutable_restart());
  if (task.placement) {
    encode_placement(*task.placement, out->mutable_placement());
  }
  for (const model::PublishedPort& port : task.ports) {
    encode(port, out->add_ports());
  }
  out->set_drain_timeout_ns(to_ns(task.drain_timeout));
  out->set_force_update(task.force_update);
}

Result<model::TaskTemplate> decode(const v1::TaskTemplate& in) {
  model::TaskTemplate task;
  SWARM_ASSIGN_OR_RETURN(task.container, decode_container(in.container()));
  SWARM_ASSIGN_OR_RETURN(task.resources, decode_requirements(in.resources()));
  task.resources.drop_if_default();
  SWARM_ASSIGN_OR_RETURN(task.restart, decode_restart(in.restart()));
  task.restart.drop_if_default();
  task.placement = decode_placement(in.placement());
  task.placement.drop_if_default();
  SWARM_ASSIGN_OR_RETURN(task.ports, decode_all<model::PublishedPort>(in.ports(), decode));
  task.drain_timeout = duration_of(in.drain_timeout_ns());
  task.force_update = in.force_update();
  return task;
}

void encode(const model::UpdatePolicy& policy, v1::UpdatePolicy* out) {
  out->set_parallelism(policy.parallelism);
  out->set_delay_ns(to_ns(policy.delay));
  out->set_monitor_ns(to_ns(policy.monitor));
  out->set_failure_action(encode(policy.failure_action));
  out->set_max_failure_ratio(policy.max_failure_ratio);
  if (policy.order) {
    out->set_order(encode(*policy.order));
  }
  out->set_progress_deadline_ns(to_ns(policy.progress_deadline));
  out->set_min_ready_ns(to_ns(policy.min_ready));
}

Result<model::UpdatePolicy> decode(const v1::UpdatePolicy& in) {
  model::UpdatePolicy policy;
  policy.parallelism = in.parallelism();
  policy.delay = duration_of(in.delay_ns());
  policy.monitor = duration_of(in.monitor_ns());
  SWARM_ASSIGN_OR_RETURN(policy.failure_action, decode(in.failure_action()));
  policy.max_failure_ratio = in.max_failure_ratio();
  if (in.order() != v1::UPDATE_ORDER_UNSPECIFIED) {
    SWARM_ASSIGN_OR_RETURN(policy.order, decode(in.order()));
  }
  policy.progress_deadline = duration_of(in.progress_deadline_ns());
  policy.min_ready = duration_of(in.min_ready_ns());
  return policy;
}

namespace {

// The two messages have these fields in common.
template <class Message>
void encode_settings(const model::ServiceSettings& settings, Message* out) {
  out->set_name(settings.name);
  encode_labels(settings.labels, out->mutable_labels());
  out->set_replicas(settings.replicas);
  encode(*settings.update, out->mutable_update());
  encode(*settings.rollback, out->mutable_rollback());
}

template <class Message>
Status decode_settings(const Message& in, model::ServiceSettings* settings) {
  settings->name = in.name();
  SWARM_ASSIGN_OR_RETURN(settings->labels, decode_labels(in.labels()));
  settings->replicas = in.replicas();
  SWARM_ASSIGN_OR_RETURN(settings->update, decode(in.update()));
  SWARM_ASSIGN_OR_RETURN(settings->rollback, decode(in.rollback()));
  settings->update.drop_if_default();
  settings->rollback.drop_if_default();
  return absl::OkStatus();
}

}  // namespace

void encode(const model::ServiceSpec& spec, v1::ServiceSpec* out) {
  encode_settings(spec, out);
  encode(spec.task, out->mutable_task());
}

Result<model::ServiceSpec> decode(const v1::ServiceSpec& in) {
  if (in.ByteSizeLong() > model::kMaxSpecBytes) {
    return absl::InvalidArgumentError("the service spec is " + std::to_string(in.ByteSizeLong()) +
                                      " bytes: at most " + std::to_string(model::kMaxSpecBytes) +
                                      " are accepted");
  }
  model::ServiceSpec spec;
  SWARM_RETURN_IF_ERROR(decode_settings(in, &spec));
  SWARM_ASSIGN_OR_RETURN(spec.task, decode(in.task()));
  return spec;
}

// ---- stored objects ----

void encode(const model::Rollout& rollout, v1::Rollout* out) {
  out->set_state(encode(rollout.state));
  out->set_from_revision(rollout.from);
  out->set_to_revision(rollout.to);
  out->set_previous_revision(rollout.previous);
  out->set_started_at_ns(to_ns(rollout.started_at));
  out->set_completed_at_ns(to_ns(rollout.completed_at));
  out->set_message(rollout.message);
  out->set_cause(rollout.cause);
  out->set_is_automatic(rollout.is_automatic);
  out->set_trial_passed_at_ns(to_ns(rollout.trial_passed_at));
  out->set_slots_changed(rollout.slots_changed);
  out->mutable_failed_slots()->Assign(rollout.failed_slots.begin(), rollout.failed_slots.end());
  out->set_last_slot_ready_at_ns(to_ns(rollout.last_slot_ready_at));
}

Result<model::Rollout> decode(const v1::Rollout& in) {
  model::Rollout rollout;
  SWARM_ASSIGN_OR_RETURN(rollout.state, decode(in.state()));
  rollout.from = in.from_revision();
  rollout.to = in.to_revision();
  rollout.previous = in.previous_revision();
  rollout.started_at = time_of(in.started_at_ns());
  rollout.completed_at = time_of(in.completed_at_ns());
  rollout.message = in.message();
  rollout.cause = in.cause();
  rollout.is_automatic = in.is_automatic();
  rollout.trial_passed_at = time_of(in.trial_passed_at_ns());
  rollout.slots_changed = in.slots_changed();
  rollout.failed_slots = {in.failed_slots().begin(), in.failed_slots().end()};
  rollout.last_slot_ready_at = time_of(in.last_slot_ready_at_ns());
  return rollout;
}

void encode(const model::Service& service, v1::Service* out) {
  out->set_id(service.id.value());
  encode(service.meta, out->mutable_meta());
  encode_settings(service.settings, out->mutable_settings());
  out->set_revision(service.revision);
  out->set_previous_revision(service.previous_revision);
  out->set_last_revision(service.last_revision);
  if (service.rollout) {
    encode(*service.rollout, out->mutable_rollout());
  }
  out->set_is_removed(service.is_removed);
  out->mutable_converged_revisions()->Assign(service.converged.begin(), service.converged.end());
}

Result<model::Service> decode(const v1::Service& in) {
  model::Service service;
  service.id = model::ServiceId(in.id());
  service.meta = decode(in.meta());
  SWARM_RETURN_IF_ERROR(decode_settings(in.settings(), &service.settings));
  service.revision = in.revision();
  service.previous_revision = in.previous_revision();
  service.last_revision = in.last_revision();
  if (in.has_rollout()) {
    SWARM_ASSIGN_OR_RETURN(service.rollout, decode(in.rollout()));
  }
  service.is_removed = in.is_removed();
  service.converged = {in.converged_revisions().begin(), in.converged_revisions().end()};
  return service;
}

void encode(const model::Revision& revision, v1::Revision* out) {
  out->set_service(revision.service.value());
  out->set_number(revision.number);
  encode(revision.meta, out->mutable_meta());
  encode(revision.task, out->mutable_task());
}

Result<model::Revision> decode(const v1::Revision& in) {
  model::Revision revision;
  revision.service = model::ServiceId(in.service());
  revision.number = in.number();
  revision.meta = decode(in.meta());
  SWARM_ASSIGN_OR_RETURN(revision.task, decode(in.task()));
  return revision;
}

}  // namespace swarm::wire
