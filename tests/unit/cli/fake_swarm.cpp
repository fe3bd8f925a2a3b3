#include "fake_swarm.h"

#include <algorithm>

#include "base/check.h"

namespace swarm::cli {

namespace {

using model::TaskState;

Status no_such_service(const std::string& reference) {
  return absl::NotFoundError("no such service: " + reference);
}

Status no_such_node(const std::string& reference) {
  return absl::NotFoundError("no such node: " + reference);
}

Status check_version(const model::Meta& stored, model::Position version) {
  return stored.version == version
             ? absl::OkStatus()
             : absl::AbortedError("update out of sequence: it has changed meanwhile");
}

}  // namespace

void FakeSwarm::change_meanwhile(model::Meta& stored) {
  if (changes_meanwhile > 0) {
    --changes_meanwhile;
    ++stored.version;
  }
}

FakeSwarm::ServiceSummary* FakeSwarm::find(const std::string& reference) {
  for (ServiceSummary& summary : services) {
    if (summary.service.id.value() == reference || summary.service.settings.name == reference) {
      return &summary;
    }
  }
  return nullptr;
}

FakeSwarm::NodeView* FakeSwarm::find_node(const std::string& reference) {
  for (NodeView& view : nodes) {
    if (view.node.id.value() == reference || view.node.description.hostname == reference ||
        (reference == "self" && view.is_self)) {
      return &view;
    }
  }
  return nullptr;
}

FakeSwarm::ServiceSummary& FakeSwarm::service(const std::string& reference) {
  ServiceSummary* found = find(reference);
  SWARM_CHECK(found != nullptr, reference);
  return *found;
}

FakeSwarm::NodeView& FakeSwarm::node(const std::string& reference) {
  NodeView* found = find_node(reference);
  SWARM_CHECK(found != nullptr, reference);
  return *found;
}

FakeSwarm::TaskView& FakeSwarm::add_task(const std::string& reference, model::Slot slot,
                                         TaskState state) {
  const ServiceSummary& summary = service(reference);
  const model::Service& owner = summary.service;
  TaskView view;
  view.task.id = model::TaskId("task" + std::to_string(tasks.size() + 1) + "aaaaaaaaaaaaaaaaaaaa");
  view.task.service = owner.id;
  view.task.slot = slot;
  view.task.revision = owner.revision;
  view.task.meta.created_at = kNow + seconds(tasks.size());
  view.task.status.state = state;
  view.task.status.at = kNow;
  view.service_name = owner.settings.name;
  view.image = summary.task.container.image;
  view.ports = summary.task.ports;
  tasks.push_back(view);
  return tasks.back();
}

Result<api::LocalNode::Info> FakeSwarm::info() {
  SWARM_RETURN_IF_ERROR(failure);
  return local;
}

Result<api::LocalNode::Initialized> FakeSwarm::init(const api::LocalNode::InitOptions& options) {
  SWARM_RETURN_IF_ERROR(may_change());
  init_options = options;
  return api::LocalNode::Initialized{.node = local.node,
                                     .worker_token = "SWMTKN-1-digest-worker",
                                     .manager_token = "SWMTKN-1-digest-manager",
                                     .advertise_address = local.advertise_address};
}

Result<model::Role> FakeSwarm::join(const api::LocalNode::JoinOptions& options) {
  SWARM_RETURN_IF_ERROR(may_change());
  join_options = options;
  return options.token.ends_with("manager") ? model::Role::manager : model::Role::worker;
}

Status FakeSwarm::leave(bool force) {
  SWARM_RETURN_IF_ERROR(may_change());
  return force ? absl::OkStatus()
               : absl::FailedPreconditionError("this node is the last manager: use --force");
}

Result<api::LocalNode::BackedUp> FakeSwarm::backup(const std::string& file) {
  SWARM_RETURN_IF_ERROR(failure);
  if (!file.starts_with("/root/")) {
    return absl::NotFoundError("the backup could not be written: open " + file +
                               ".part: No such file or directory");
  }
  return api::LocalNode::BackedUp{.swarm = local.swarm, .position = 42, .bytes = 1234};
}

Result<api::LocalNode::Initialized> FakeSwarm::restore(
    const api::LocalNode::RestoreOptions& options) {
  SWARM_RETURN_IF_ERROR(may_change());
  api::LocalNode::InitOptions as_init;
  as_init.listen_address = options.listen_address;
  as_init.advertise_address = options.advertise_address;
  as_init.force = options.force;
  return init(as_init);
}

Result<FakeSwarm::SwarmView> FakeSwarm::inspect_swarm() {
  SWARM_RETURN_IF_ERROR(failure);
  SwarmView view{.cluster = {}, .managers = 1, .workers = 2};
  view.cluster.id = local.swarm;
  view.cluster.meta = {.version = 3, .created_at = kNow, .updated_at = kNow};
  view.cluster.ca_certificate = "-----BEGIN CERTIFICATE-----\n";
  return view;
}

Result<FakeSwarm::JoinToken> FakeSwarm::join_token(model::Role role, bool rotate) {
  SWARM_RETURN_IF_ERROR(failure);
  was_rotated = rotate;
  return JoinToken{
      "SWMTKN-1-digest-" + std::string(rotate ? "new" : "") + std::string(model::to_string(role)),
      local.advertise_address};
}

Result<std::vector<FakeSwarm::NodeView>> FakeSwarm::list_nodes() {
  SWARM_RETURN_IF_ERROR(failure);
  return nodes;
}

Result<FakeSwarm::NodeView> FakeSwarm::get_node(const std::string& reference) {
  SWARM_RETURN_IF_ERROR(failure);
  NodeView* found = find_node(reference);
  if (found == nullptr) {
    return no_such_node(reference);
  }
  NodeView view = *found;
  change_meanwhile(found->node.meta);
  return view;
}

Status FakeSwarm::update_node(const model::NodeId& id, model::Position version,
                              const model::NodeSpec& spec) {
  SWARM_RETURN_IF_ERROR(may_change());
  model::Node& stored = node(id.value()).node;
  SWARM_RETURN_IF_ERROR(check_version(stored.meta, version));
  stored.spec = spec;
  ++stored.meta.version;
  if (spec.role == model::Role::manager && !stored.manager) {
    if (promotion_refusal.empty()) {
      stored.manager = model::ManagerStatus{model::MemberId(99), "10.0.0.9:2377"};
    } else {
      stored.spec.role = model::Role::worker;
      stored.status.message = "not promoted: " + promotion_refusal;
    }
  }
  return absl::OkStatus();
}

Status FakeSwarm::remove_node(const std::string& reference, bool force) {
  SWARM_RETURN_IF_ERROR(may_change());
  const NodeView* found = find_node(reference);
  if (found == nullptr) {
    return no_such_node(reference);
  }
  if (found->node.status.state == model::NodeState::ready && !force) {
    return absl::FailedPreconditionError("node " + reference +
                                         " is not down and can't be removed: use --force");
  }
  nodes.erase(nodes.begin() + (found - nodes.data()));
  return absl::OkStatus();
}

Result<model::ServiceId> FakeSwarm::create_service(const model::ServiceSpec& spec) {
  SWARM_RETURN_IF_ERROR(may_change());
  if (find(spec.name) != nullptr) {
    return absl::AlreadyExistsError("service " + spec.name + " already exists");
  }
  ServiceSummary summary;
  summary.service.id =
      model::ServiceId("newservice" + std::to_string(services.size()) + "aaaaaaaaaaaaaa");
  summary.service.settings = spec;
  summary.task = spec.task;
  summary.service.meta = {.version = 1, .created_at = kNow, .updated_at = kNow};
  summary.service.revision = 1;
  summary.desired = spec.replicas;
  services.push_back(summary);
  return summary.service.id;
}

Result<FakeSwarm::ServiceSummary> FakeSwarm::get_service(const std::string& reference) {
  ++polls;
  SWARM_RETURN_IF_ERROR(failure);
  ServiceSummary* found = find(reference);
  if (found == nullptr) {
    return no_such_service(reference);
  }
  ServiceSummary summary = *found;
  change_meanwhile(found->service.meta);
  return summary;
}

Result<std::vector<FakeSwarm::ServiceSummary>> FakeSwarm::list_services() {
  SWARM_RETURN_IF_ERROR(failure);
  return services;
}

// A change of the task template makes a revision and starts a rollout.
Result<model::RevisionNumber> FakeSwarm::update_service(const model::ServiceId& id,
                                                        model::Position version,
                                                        const model::ServiceSpec& spec) {
  SWARM_RETURN_IF_ERROR(may_change());
  ServiceSummary& summary = service(id.value());
  model::Service& stored = summary.service;
  SWARM_RETURN_IF_ERROR(check_version(stored.meta, version));
  if (summary.task != spec.task) {
    stored.previous_revision = stored.revision++;
    stored.rollout.reset();
    model::Rollout& rollout = stored.rollout.edit();
    rollout.from = stored.previous_revision;
    rollout.to = stored.revision;
    rollout.started_at = kNow + seconds(version);
  }
  stored.settings = spec;
  summary.task = spec.task;
  ++stored.meta.version;
  return stored.revision;
}

Result<model::RevisionNumber> FakeSwarm::rollback_service(const std::string& reference,
                                                          std::optional<model::RevisionNumber> to) {
  SWARM_RETURN_IF_ERROR(may_change());
  model::Service& stored = service(reference).service;
  const model::RevisionNumber target = to.value_or(stored.previous_revision);
  if (target == 0) {
    return absl::FailedPreconditionError("service " + reference +
                                         " does not have a previous revision");
  }
  rolled_back_to = to;
  stored.previous_revision = std::exchange(stored.revision, target);
  stored.rollout.reset();
  model::Rollout& rollout = stored.rollout.edit();
  rollout.state = model::RolloutState::rollback_started;
  rollout.from = stored.previous_revision;
  rollout.to = target;
  rollout.started_at = kNow + seconds(100);
  return target;
}

Status FakeSwarm::scale_service(const std::string& reference, uint64_t replicas) {
  SWARM_RETURN_IF_ERROR(may_change());
  ServiceSummary* found = find(reference);
  if (found == nullptr) {
    return no_such_service(reference);
  }
  found->service.settings.replicas = replicas;
  found->desired = replicas;
  return absl::OkStatus();
}

Status FakeSwarm::remove_service(const std::string& reference) {
  SWARM_RETURN_IF_ERROR(may_change());
  const ServiceSummary* found = find(reference);
  if (found == nullptr) {
    return no_such_service(reference);
  }
  services.erase(services.begin() + (found - services.data()));
  return absl::OkStatus();
}

Result<std::vector<FakeSwarm::RevisionView>> FakeSwarm::history(const std::string& reference) {
  SWARM_RETURN_IF_ERROR(failure);
  if (find(reference) == nullptr) {
    return no_such_service(reference);
  }
  return revisions;
}

Result<std::vector<FakeSwarm::TaskView>> FakeSwarm::list_tasks(const TaskFilter& filter) {
  SWARM_RETURN_IF_ERROR(failure);
  std::vector<model::ServiceId> wanted_services;
  std::vector<model::NodeId> wanted_nodes;
  for (const std::string& reference : filter.services) {
    const ServiceSummary* found = find(reference);
    if (found == nullptr) {
      return no_such_service(reference);
    }
    wanted_services.push_back(found->service.id);
  }
  for (const std::string& reference : filter.nodes) {
    const NodeView* found = find_node(reference);
    if (found == nullptr) {
      return no_such_node(reference);
    }
    wanted_nodes.push_back(found->node.id);
  }
  std::vector<TaskView> result;
  for (const TaskView& view : tasks) {
    const auto wants = [](const auto& list, const auto& id) {
      return list.empty() || std::find(list.begin(), list.end(), id) != list.end();
    };
    if (wants(wanted_services, view.task.service) && wants(wanted_nodes, view.task.node)) {
      result.push_back(view);
    }
  }
  return result;
}

namespace {

void add_node(FakeSwarm& swarm, const std::string& id, const std::string& hostname,
              const std::string& address) {
  api::Client::NodeView view;
  view.node.id = model::NodeId(id);
  view.node.meta = {.version = 2, .created_at = kNow, .updated_at = kNow};
  view.node.description.hostname = hostname;
  view.node.description.os = "linux";
  view.node.description.architecture = "x86_64";
  view.node.description.resources = {.nano_cpus = 2'000'000'000, .memory_bytes = 4LL << 30};
  view.node.description.runtime = "process";
  view.node.description.engine_version = "0.1.0";
  view.node.status.state = model::NodeState::ready;
  view.node.status.address = address;
  view.node.status.at = kNow;
  swarm.nodes.push_back(view);
}

void add_nodes(FakeSwarm& swarm) {
  add_node(swarm, "node1aaaaaaaaaaaaaaaaaaaa", "alpha", "10.0.0.1");
  add_node(swarm, "node2aaaaaaaaaaaaaaaaaaaa", "node-10", "10.0.0.2");
  add_node(swarm, "node3aaaaaaaaaaaaaaaaaaaa", "node-9", "10.0.0.3");
  api::Client::NodeView& leader = swarm.nodes[0];
  leader.node.role = leader.node.spec.role = model::Role::manager;
  leader.node.manager = model::ManagerStatus{model::MemberId(1), "10.0.0.1:2377"};
  leader.is_leader = leader.is_reachable = leader.is_self = true;
  leader.reserved = {.nano_cpus = 500'000'000, .memory_bytes = 256 << 20};
  swarm.nodes[1].node.spec.availability = model::Availability::drain;
  swarm.nodes[1].node.spec.labels["zone"] = "a";
  swarm.nodes[2].node.status.state = model::NodeState::down;
}

api::Client::ServiceSummary sample_service(const std::string& id, const std::string& name,
                                           const std::string& image, uint64_t replicas) {
  api::Client::ServiceSummary summary;
  model::Service& service = summary.service;
  service.id = model::ServiceId(id);
  service.meta = {.version = 7, .created_at = kNow - hours(2), .updated_at = kNow};
  service.settings.name = name;
  service.settings.replicas = replicas;
  service.revision = service.last_revision = 1;
  summary.task.container.image = image;
  summary.desired = replicas;
  return summary;
}

void add_services(FakeSwarm& swarm) {
  api::Client::ServiceSummary web =
      sample_service("webaaaaaaaaaaaaaaaaaaaaaa", "web", "web:1.0@sha256:abc", 3);
  web.service.settings.labels["team"] = "shop";
  web.task.ports = {{.target = 80, .published = 8080},
                    {.target = 81, .published = 8081},
                    {.target = 443, .published = 8443, .mode = model::PublishMode::host}};
  web.task.container.env = {"A=1", "B=2"};
  web.running = 3;
  api::Client::ServiceSummary api = sample_service("apiaaaaaaaaaaaaaaaaaaaaaa", "api", "api:2", 1);
  api.task.placement.edit().max_replicas_per_node = 2;
  swarm.services.push_back(std::move(web));
  swarm.services.push_back(std::move(api));
}

void add_tasks(FakeSwarm& swarm) {
  for (model::Slot slot = 1; slot <= 3; ++slot) {
    api::Client::TaskView& view = swarm.add_task("web", slot, TaskState::running);
    view.task.status.at = kNow - seconds(5 * slot);
    view.task.node = swarm.nodes[slot - 1].node.id;
    view.node_hostname = swarm.nodes[slot - 1].node.description.hostname;
  }
  model::Task& failed = swarm.add_task("api", 1, TaskState::failed).task;
  failed.desired = TaskState::shutdown;
  failed.status.error = "task: non-zero exit (1): cannot open /etc/api.conf";
  api::Client::TaskView& waiting = swarm.add_task("api", 1, TaskState::pending);
  waiting.task.status.error = "no suitable node (insufficient memory on 3 nodes)";
  waiting.wait = {waiting.task.status.error, kNow, {}};  // as the scheduler writes it
}

}  // namespace

void fill_with_sample(FakeSwarm& swarm) {
  add_nodes(swarm);
  add_services(swarm);
  add_tasks(swarm);
  for (model::RevisionNumber number = 2; number >= 1; --number) {
    api::Client::RevisionView view;
    view.revision.number = number;
    view.revision.meta.created_at = kNow - hours(3 - number);
    view.revision.task.container.image = "web:1." + std::to_string(number - 1);
    view.is_current = number == 2;
    view.is_previous = number == 1;
    view.running = number == 2 ? 3 : 0;
    swarm.revisions.push_back(view);
  }
}

}  // namespace swarm::cli
