#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "cli/format.h"
#include "cli/inspect.h"
#include "model/update_order.h"

namespace swarm::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto kReplaceBadText = Json::error_handler_t::replace;

std::string word(std::string_view text) {
  return std::string(text);
}

Json labels_json(const model::Labels& labels) {
  Json json = Json::object();
  for (const auto& [key, value] : labels) {
    json[key] = value;
  }
  return json;
}

void put_meta(Json& json, const model::Meta& meta) {
  json["Version"]["Index"] = meta.version;
  json["CreatedAt"] = format_time(meta.created_at);
  json["UpdatedAt"] = format_time(meta.updated_at);
}

void put_if(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) {
    json[name] = text;
  }
}

void put_if(Json& json, const char* name, const std::vector<std::string>& list) {
  if (!list.empty()) {
    json[name] = list;
  }
}

Json health_json(const model::HealthCheck& health) {
  Json json = Json::object();
  put_if(json, "Test", health.test);
  json["Interval"] = health.interval.count();
  json["Timeout"] = health.timeout.count();
  json["StartPeriod"] = health.start_period.count();
  json["Retries"] = health.retries;
  return json;
}

Json container_json(const model::ContainerSpec& container) {
  Json json;
  json["Image"] = container.image;
  if (!container.labels->empty()) {
    json["Labels"] = labels_json(*container.labels);
  }
  put_if(json, "Command", container.overrides->entrypoint);
  put_if(json, "Args", container.args);
  put_if(json, "Hostname", container.overrides->hostname);
  put_if(json, "Env", container.env);
  put_if(json, "Dir", container.overrides->workdir);
  put_if(json, "User", container.overrides->user);
  for (const model::Mount& mount : container.mounts) {
    json["Mounts"].push_back({{"Type", word(model::to_string(mount.type))},
                              {"Source", mount.source},
                              {"Target", mount.target},
                              {"ReadOnly", mount.read_only}});
  }
  json["Init"] = container.init;
  json["ReadOnly"] = container.read_only;
  put_if(json, "StopSignal", container.overrides->stop_signal);
  json["StopGracePeriod"] = container.stop_grace_period.count();
  if (container.health) {
    json["Healthcheck"] = health_json(*container.health);
  }
  return json;
}

Json resources_json(const model::Resources& resources) {
  return {{"NanoCPUs", resources.nano_cpus}, {"MemoryBytes", resources.memory_bytes}};
}

Json requirements_json(const model::ResourceRequirements& resources) {
  Json json;
  json["Limits"] = resources_json(resources.limits);
  json["Limits"]["Pids"] = resources.pids_limit;
  json["Reservations"] = resources_json(resources.reservations);
  return json;
}

Json restart_json(const model::RestartPolicy& restart) {
  return {{"Condition", word(model::to_string(restart.condition))},
          {"Delay", restart.delay.count()},
          {"MaxAttempts", restart.max_attempts},
          {"Window", restart.window.count()}};
}

Json placement_json(const model::Placement& placement) {
  Json json = Json::object();
  put_if(json, "Constraints", placement.constraints);
  for (const std::string& descriptor : placement.preferences) {
    json["Preferences"].push_back({{"Spread", {{"SpreadDescriptor", descriptor}}}});
  }
  if (placement.max_replicas_per_node > 0) {
    json["MaxReplicas"] = placement.max_replicas_per_node;
  }
  return json;
}

Json policy_json(const model::UpdatePolicy& policy, const model::TaskTemplate& task) {
  return {{"Parallelism", policy.parallelism},
          {"Delay", policy.delay.count()},
          {"FailureAction", word(model::to_string(policy.failure_action))},
          {"Monitor", policy.monitor.count()},
          {"MinReady", policy.min_ready.count()},
          {"MaxFailureRatio", policy.max_failure_ratio},
          {"Order", word(model::to_string(model::effective_order(policy, task)))},
          {"OrderReason", model::order_reason(policy, task)},
          {"ProgressDeadline", policy.progress_deadline.count()}};
}

Json ports_json(const std::vector<model::PublishedPort>& ports) {
  Json json = Json::array();
  for (const model::PublishedPort& port : ports) {
    json.push_back({{"Protocol", word(model::to_string(port.protocol))},
                    {"TargetPort", port.target},
                    {"PublishedPort", port.published},
                    {"PublishMode", word(model::to_string(port.mode))}});
  }
  return json;
}

Json template_json(const model::TaskTemplate& task) {
  Json json;
  json["ContainerSpec"] = container_json(task.container);
  json["Resources"] = requirements_json(*task.resources);
  json["RestartPolicy"] = restart_json(*task.restart);
  json["Placement"] = placement_json(*task.placement);
  json["DrainTimeout"] = task.drain_timeout.count();
  json["ForceUpdate"] = task.force_update;
  return json;
}

Json spec_json(const model::ServiceSpec& spec) {
  Json json;
  json["Name"] = spec.name;
  json["Labels"] = labels_json(spec.labels);
  json["TaskTemplate"] = template_json(spec.task);
  json["Mode"]["Replicated"]["Replicas"] = spec.replicas;
  json["UpdateConfig"] = policy_json(*spec.update, spec.task);
  json["RollbackConfig"] = policy_json(*spec.rollback, spec.task);
  json["EndpointSpec"]["Ports"] = ports_json(spec.task.ports);
  return json;
}

Json rollout_json(const model::Rollout& rollout) {
  Json json;
  json["State"] = word(model::to_string(rollout.state));
  json["StartedAt"] = format_time(rollout.started_at);
  put_if(json, "CompletedAt", format_time(rollout.completed_at));
  json["Message"] = rollout.message;
  json["FromRevision"] = rollout.from;
  json["ToRevision"] = rollout.to;
  return json;
}

std::string members_of(const Json& json) {
  std::string names;
  if (json.is_object()) {
    for (const auto& item : json.items()) {
      names += " ." + item.key();
    }
  }
  return names.empty() ? " no field below it" : names;
}

// Follows "Spec.Name" into the object.
Result<const Json*> find_path(const Json& object, std::string_view path) {
  const Json* json = &object;
  std::string_view rest = path;
  while (!rest.empty()) {
    const size_t dot = rest.find('.');
    const std::string name(rest.substr(0, dot));
    if (!json->is_object() || !json->contains(name)) {
      return absl::InvalidArgumentError("unknown field \"." + std::string(path) +
                                        "\" in --format: in place of ." + name + " there is" +
                                        members_of(*json));
    }
    json = &(*json)[name];
    rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
  }
  return json;
}

Result<std::string> render(const Json& object, const std::vector<FormatPiece>& pieces) {
  std::string text;
  for (const FormatPiece& piece : pieces) {
    if (!piece.is_field) {
      text += piece.text;
      continue;
    }
    SWARM_ASSIGN_OR_RETURN(const Json* value, find_path(object, piece.text));
    const bool is_plain = value->is_string() && !piece.as_json;
    text += is_plain ? value->get<std::string>() : value->dump(-1, ' ', false, kReplaceBadText);
  }
  return text;
}

Json service_json(const api::Client::ServiceSummary& summary) {
  const model::Service& service = summary.service;
  Json json;
  json["ID"] = service.id.value();
  put_meta(json, service.meta);
  json["Spec"] = spec_json(summary.spec());
  json["Revision"] = service.revision;
  json["PreviousRevision"] = service.previous_revision;
  json["Endpoint"]["Ports"] = ports_json(summary.task.ports);
  if (service.rollout) {
    json["UpdateStatus"] = rollout_json(*service.rollout);
  }
  json["ServiceStatus"]["RunningTasks"] = summary.running;
  json["ServiceStatus"]["DesiredTasks"] = summary.desired;
  return json;
}

void put_conditions(Json& json, const model::NodeStatus& status) {
  for (const model::NodeCondition& condition : status.conditions) {
    json["Conditions"].push_back({{"Kind", word(model::to_string(condition.kind))},
                                  {"Reason", condition.reason},
                                  {"Since", format_time(condition.since)}});
  }
  for (const model::ClosedPort& closed : status.closed_ports) {
    json["ClosedPorts"].push_back({{"ServiceID", closed.service.value()},
                                   {"PublishedPort", closed.port.published},
                                   {"Protocol", word(model::to_string(closed.port.protocol))},
                                   {"Reason", closed.reason}});
  }
}

Json node_json(const api::Client::NodeView& view) {
  const model::Node& node = view.node;
  Json json;
  json["ID"] = node.id.value();
  put_meta(json, node.meta);
  json["Spec"]["Labels"] = labels_json(node.spec.labels);
  json["Spec"]["Role"] = word(model::to_string(node.spec.role));
  json["Spec"]["Availability"] = word(model::to_string(node.spec.availability));
  Json& description = json["Description"];
  description["Hostname"] = node.description.hostname;
  description["Platform"]["Architecture"] = node.description.architecture;
  description["Platform"]["OS"] = node.description.os;
  description["Resources"] = resources_json(node.description.resources);
  description["ReservedResources"] = resources_json(view.reserved);
  description["Engine"]["Runtime"] = node.description.runtime;
  description["Engine"]["EngineVersion"] = node.description.engine_version;
  description["Engine"]["Labels"] = labels_json(node.description.engine_labels);
  description["Version"] = node.description.version;
  json["Status"]["State"] = word(model::to_string(node.status.state));
  put_if(json["Status"], "Message", node.status.message);
  json["Status"]["Addr"] = node.status.address;
  put_conditions(json["Status"], node.status);
  if (node.manager) {
    Json& manager = json["ManagerStatus"];
    manager["Leader"] = view.is_leader;
    manager["Reachability"] = view.is_reachable ? "reachable" : "unreachable";
    manager["Addr"] = node.manager->address;
    put_if(manager, "Refused", node.description.manager_refusal);
  }
  return json;
}

Json swarm_json(const api::Client::SwarmView& view) {
  const model::Cluster& cluster = view.cluster;
  Json json;
  json["ID"] = cluster.id.value();
  put_meta(json, cluster.meta);
  json["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"] = cluster.task_history_limit;
  json["Spec"]["Dispatcher"]["HeartbeatPeriod"] = cluster.heartbeat_period.count();
  json["Spec"]["Dispatcher"]["HeartbeatMisses"] = cluster.heartbeat_misses;
  json["Spec"]["CAConfig"]["NodeCertExpiry"] = cluster.certificate_validity.count();
  json["Spec"]["CAConfig"]["NodeCertRenewalGrace"] = cluster.certificate_grace.count();
  json["TLSInfo"]["TrustRoot"] = cluster.ca_certificate;
  json["Managers"] = view.managers;
  json["Workers"] = view.workers;
  return json;
}

Result<std::string> format_objects(const std::vector<Json>& objects, const std::string& format) {
  if (format.empty()) {
    Json array = Json::array();
    for (const Json& object : objects) {
      array.push_back(object);
    }
    return array.dump(4, ' ', false, kReplaceBadText) + "\n";
  }
  const std::string pieces_text = format == "json" ? "{{json .}}" : format;
  SWARM_ASSIGN_OR_RETURN(const std::vector<FormatPiece> pieces, parse_format(pieces_text));
  std::string text;
  for (const Json& object : objects) {
    SWARM_ASSIGN_OR_RETURN(const std::string line, render(object, pieces));
    text += line + "\n";
  }
  return text;
}

}  // namespace

Result<std::string> services_as_json(const std::vector<api::Client::ServiceSummary>& services,
                                     const std::string& format) {
  std::vector<Json> objects;
  objects.reserve(services.size());
  for (const api::Client::ServiceSummary& service : services) {
    objects.push_back(service_json(service));
  }
  return format_objects(objects, format);
}

Result<std::string> nodes_as_json(const std::vector<api::Client::NodeView>& nodes,
                                  const std::string& format) {
  std::vector<Json> objects;
  objects.reserve(nodes.size());
  for (const api::Client::NodeView& node : nodes) {
    objects.push_back(node_json(node));
  }
  return format_objects(objects, format);
}

Result<std::string> swarm_as_json(const api::Client::SwarmView& swarm, const std::string& format) {
  return format_objects({swarm_json(swarm)}, format);
}

}  // namespace swarm::cli
