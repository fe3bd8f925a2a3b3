#include "runtime/process/task_record.h"

#include <nlohmann/json.hpp>

namespace swarm::runtime {

namespace {

using nlohmann::json;

json to_json(const platform::ProcessId& process) {
  return {{"pid", process.pid}, {"birth", process.birth}};
}

platform::ProcessId process_of(const json& object) {
  return {object.at("pid").get<int64_t>(), object.at("birth").get<std::string>()};
}

json to_json(const agent::TaskLabels& labels) {
  return {{"swarm", labels.swarm.value()},       {"node", labels.node.value()},
          {"task", labels.task.value()},         {"service", labels.service.value()},
          {"service_name", labels.service_name}, {"slot", labels.slot},
          {"revision", labels.revision}};
}

agent::TaskLabels labels_of(const json& object) {
  agent::TaskLabels labels;
  labels.swarm = model::SwarmId(object.at("swarm").get<std::string>());
  labels.node = model::NodeId(object.at("node").get<std::string>());
  labels.task = model::TaskId(object.at("task").get<std::string>());
  labels.service = model::ServiceId(object.at("service").get<std::string>());
  labels.service_name = object.at("service_name").get<std::string>();
  labels.slot = object.at("slot").get<model::Slot>();
  labels.revision = object.at("revision").get<model::RevisionNumber>();
  return labels;
}

json to_json(const model::HealthCheck& health) {
  return {{"test", health.test},
          {"interval_ns", health.interval.count()},
          {"timeout_ns", health.timeout.count()},
          {"start_period_ns", health.start_period.count()},
          {"retries", health.retries}};
}

model::HealthCheck health_of(const json& object) {
  model::HealthCheck health;
  health.test = object.at("test").get<std::vector<std::string>>();
  health.interval = Duration(object.value("interval_ns", int64_t{0}));
  health.timeout = Duration(object.value("timeout_ns", int64_t{0}));
  health.start_period = Duration(object.value("start_period_ns", int64_t{0}));
  health.retries = object.value("retries", 0);
  return health;
}

json to_json(const TaskPort& port) {
  return {{"target", port.target},
          {"protocol", port.protocol == model::PortProtocol::tcp ? "tcp" : "udp"},
          {"port", port.port}};
}

TaskPort port_of(const json& object) {
  return {.target = object.at("target").get<uint16_t>(),
          .protocol =
              object.at("protocol") == "udp" ? model::PortProtocol::udp : model::PortProtocol::tcp,
          .port = object.at("port").get<uint16_t>()};
}

// Names in the environment may be any bytes; JSON holds UTF-8 only.
std::string dump(const json& object) {
  return object.dump(1, ' ', false, json::error_handler_t::replace);
}

// Runs `read` on the parsed text; every complaint of the parser becomes a status.
template <class Value, class Read>
Result<Value> decode(std::string_view text, const char* what, Read read) {
  try {
    return read(json::parse(text));
  } catch (const json::exception& error) {
    return absl::DataLossError(std::string(what) + " cannot be read: " + error.what());
  }
}

TaskRecord task_record_of(const json& object) {
  TaskRecord record;
  record.labels = labels_of(object.at("labels"));
  record.mark = object.value("mark", "");
  record.command = object.at("command").get<std::vector<std::string>>();
  record.environment = object.at("environment").get<std::vector<std::string>>();
  record.workdir = object.at("workdir").get<std::string>();
  for (const json& port : object.at("ports")) {
    record.ports.push_back(port_of(port));
  }
  if (object.contains("health")) {
    record.health = health_of(object.at("health"));
  }
  record.stop_signal = object.at("stop_signal").get<std::string>();
  record.grace = Duration(object.value("grace_ns", int64_t{0}));
  if (object.contains("limits")) {
    const json& limits = object.at("limits");
    record.limits = {.memory_bytes = limits.value("memory_bytes", int64_t{0}),
                     .nano_cpus = limits.value("nano_cpus", int64_t{0}),
                     .pids = limits.value("pids", int64_t{0})};
  }
  return record;
}

}  // namespace

std::string encode(const TaskRecord& record) {
  json object = {{"labels", to_json(record.labels)},
                 {"mark", record.mark},
                 {"command", record.command},
                 {"environment", record.environment},
                 {"workdir", record.workdir},
                 {"ports", json::array()},
                 {"stop_signal", record.stop_signal},
                 {"grace_ns", record.grace.count()},
                 {"limits",
                  {{"memory_bytes", record.limits.memory_bytes},
                   {"nano_cpus", record.limits.nano_cpus},
                   {"pids", record.limits.pids}}}};
  for (const TaskPort& port : record.ports) {
    object["ports"].push_back(to_json(port));
  }
  if (record.health) {
    object["health"] = to_json(*record.health);
  }
  return dump(object);
}

std::string encode(const StartRecord& record) {
  return dump({{"shim", to_json(record.shim)}, {"process", to_json(record.process)}});
}

std::string encode(const ExitRecord& record) {
  return dump({{"exit_code", record.exit_code}, {"error", record.error}});
}

std::string encode(const model::Labels& labels) {
  json object = json::object();
  for (const auto& [name, value] : labels) {
    object[name] = value;
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string encode(const StartReport& report) {
  return dump({{"process", to_json(report.process)},
               {"warnings", report.warnings},
               {"code", static_cast<int>(report.status.code())},
               {"error", std::string(report.status.message())}});
}

Result<TaskRecord> decode_task_record(std::string_view text) {
  return decode<TaskRecord>(text, "the task's record", task_record_of);
}

Result<StartRecord> decode_start_record(std::string_view text) {
  return decode<StartRecord>(text, "the record of the start", [](const json& object) {
    return StartRecord{process_of(object.at("shim")), process_of(object.at("process"))};
  });
}

Result<ExitRecord> decode_exit_record(std::string_view text) {
  return decode<ExitRecord>(text, "the record of the exit", [](const json& object) {
    return ExitRecord{object.at("exit_code").get<int32_t>(), object.value("error", "")};
  });
}

Result<StartReport> decode_start_report(std::string_view text) {
  return decode<StartReport>(text, "the report of the shim", [](const json& object) {
    StartReport report;
    report.process = process_of(object.at("process"));
    report.warnings = object.at("warnings").get<std::vector<std::string>>();
    report.status = Status(static_cast<absl::StatusCode>(object.at("code").get<int>()),
                           object.at("error").get<std::string>());
    return report;
  });
}

std::string mark_of(const TaskRecord& record) {
  return std::string(kMarkVariable) + "=" + record.mark;
}

std::vector<std::string> environment_of(const TaskRecord& record) {
  std::vector<std::string> environment = record.environment;
  environment.push_back(mark_of(record));
  bool has_first = false;
  for (const TaskPort& port : record.ports) {
    const std::string value = "=" + std::to_string(port.port);
    if (port.target != kUnpublished) {
      environment.push_back("PORT_" + std::to_string(port.target) + value);
    }
    if (!has_first && port.protocol == model::PortProtocol::tcp) {
      environment.push_back("PORT" + value);
      has_first = true;
    }
  }
  return environment;
}

}  // namespace swarm::runtime
