#include "runtime/process/process_executor.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "base/log.h"
#include "model/target_port.h"
#include "platform/file_system.h"
#include "platform/machine.h"
#include "runtime/process/task_directory.h"

namespace swarm::runtime {

namespace {

constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// A shim that was starting when swarmd was killed is done within this many looks.
constexpr int kSettleTries = 100;
constexpr Duration kSettlePeriod = milliseconds(20);

// Ids are made of letters and digits; this one becomes a path.
bool is_file_name(const std::string& id) {
  return !id.empty() && id.find_first_of("/\\") == std::string::npos && !id.starts_with('.');
}

std::vector<std::filesystem::path> bundle_places(const ProcessOptions& options) {
  std::vector<std::filesystem::path> places{options.state_directory / "bundles"};
  places.insert(places.end(), options.bundle_directories.begin(), options.bundle_directories.end());
  return places;
}

Status refuse_unsupported(const model::ContainerSpec& container) {
  const auto refuse = [](const char* what) {
    return absl::FailedPreconditionError(
        std::string("the process runtime has no ") + what +
        ": leave it out, or keep the service on nodes with Docker by --constraint");
  };
  if (!container.mounts.empty()) {
    return refuse("mounts");
  }
  if (!container.overrides->user.empty()) {
    return refuse("users");
  }
  if (!container.overrides->hostname.empty()) {
    return refuse("host names");
  }
  if (container.read_only) {
    return refuse("read-only root");
  }
  return absl::OkStatus();
}

// A program named relative to the bundle is the bundle's; others are searched in PATH.
std::string program_path(const Bundle& bundle, const std::string& name, FileSystem& files) {
  const std::filesystem::path own = bundle.directory / name;
  return name.starts_with('/') || !files.exists(own) ? name : own.lexically_normal().string();
}

std::vector<std::string> command_of(const Bundle& bundle, const model::ContainerSpec& container,
                                    FileSystem& files) {
  std::vector<std::string> command = bundle.manifest.command;
  if (!container.overrides->entrypoint.empty()) {
    command = container.overrides->entrypoint;
  } else if (!container.args.empty()) {
    command.resize(1);
  }
  command.insert(command.end(), container.args.begin(), container.args.end());
  command.front() = program_path(bundle, command.front(), files);
  return command;
}

std::vector<std::string> environment_of(const Bundle& bundle, const agent::TaskLabels& labels,
                                        const model::ContainerSpec& container) {
  std::map<std::string, std::string> variables;
  std::vector<std::string> environment{
      kDefaultPath,
      "SWARM_TASK_ID=" + labels.task.value(),
      "SWARM_TASK_SLOT=" + std::to_string(labels.slot),
      "SWARM_SERVICE_NAME=" + labels.service_name,
      "SWARM_NODE_ID=" + labels.node.value(),
  };
  if (!container.labels->empty()) {
    environment.push_back("SWARM_CONTAINER_LABELS=" + encode(*container.labels));
  }
  for (const auto& [name, value] : bundle.manifest.env) {
    environment.push_back(name + "=" + value);
  }
  environment.insert(environment.end(), container.env.begin(), container.env.end());
  // The last of a name counts, as it would in a container.
  for (const std::string& variable : environment) {
    const size_t equals = variable.find('=');
    variables[variable.substr(0, equals)] =
        equals == std::string::npos ? "" : variable.substr(equals + 1);
  }
  std::vector<std::string> result;
  result.reserve(variables.size());
  for (const auto& [name, value] : variables) {
    result.push_back(name + "=" + value);
  }
  return result;
}

// The bundle's own check with what the service sets, or the service's.
Result<std::optional<model::HealthCheck>> health_of(const Bundle& bundle,
                                                    const model::ContainerSpec& container) {
  using Health = std::optional<model::HealthCheck>;
  const model::HealthCheck& given = *container.health;
  Health health = bundle.manifest.health;
  if (!given.test.empty()) {
    SWARM_RETURN_IF_ERROR(check_health_test(given.test));
    health = given;
  }
  if (health && health->test.front() == "NONE") {
    health.reset();
  }
  if (!given.test.empty() || given == model::HealthCheck()) {
    return health;
  }
  if (!health) {
    return absl::FailedPreconditionError(
        "health settings without a health check: image \"" + container.image +
        "\" has none of its own; give one with --health-cmd, or leave the settings out");
  }
  const auto take = [](auto& value, auto set) { value = set == decltype(set){} ? value : set; };
  take(health->interval, given.interval);
  take(health->timeout, given.timeout);
  take(health->start_period, given.start_period);
  take(health->retries, given.retries);
  return health;
}

std::string make_mark(const model::TaskId& task, const std::filesystem::path& directory) {
  char digest[9];
  std::snprintf(digest, sizeof digest, "%08x",
                crc32c(0, std::filesystem::absolute(directory).string()));
  return task.value() + "-" + digest;
}

}  // namespace

ProcessExecutor::ProcessExecutor(AsioLoop& loop, ProcessOptions options)
    : loop_(loop),
      options_(std::move(options)),
      files_(platform::make_file_system()),
      tasks_directory_(options_.state_directory / "tasks"),
      bundles_(*files_, bundle_places(options_)),
      ports_(loop.context(), Random::from_system()) {}

ProcessExecutor::~ProcessExecutor() = default;

void ProcessExecutor::describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) {
  const platform::Machine machine = platform::describe_machine();
  agent::EngineDescription description;
  description.runtime = model::kProcessRuntime;
  description.version = options_.version;
  description.resources = {.nano_cpus = machine.cpus * 1'000'000'000,
                           .memory_bytes = machine.memory_bytes};
  done(std::move(description));
}

void ProcessExecutor::set_condition_listener(
    absl::AnyInvocable<void(const agent::EngineCondition&)>) {}

void ProcessExecutor::set_listener(Listener listener) {
  listener_ = std::move(listener);
}

void ProcessExecutor::list(const model::SwarmId& swarm, const model::NodeId& node, ListDone done) {
  list_when_settled(swarm, node, kSettleTries, std::move(done));
}

void ProcessExecutor::list_when_settled(model::SwarmId swarm, model::NodeId node, int tries,
                                        ListDone done) {
  if (tries > 0 && is_any_starting()) {
    loop_.call_at(loop_.now() + kSettlePeriod,
                  anchor_.bind([this, swarm, node, tries, done = std::move(done)]() mutable {
                    list_when_settled(swarm, node, tries - 1, std::move(done));
                  }));
    return;
  }
  if (Status status = adopt_all(); !status.ok()) {
    done(std::move(status));
    return;
  }
  std::vector<agent::ExistingTask> existing;
  for (const auto& [id, task] : tasks_) {
    const agent::TaskLabels& labels = task->record().labels;
    if (labels.swarm != swarm || labels.node != node) {
      continue;
    }
    using State = agent::ExistingTask::State;
    agent::ExistingTask found;
    found.labels = labels;
    found.container_id = id.value();
    switch (task->state()) {
      case ProcessTask::State::created:
        found.state = State::created;
        break;
      case ProcessTask::State::starting:
      case ProcessTask::State::running:
        found.state = State::running;
        break;
      case ProcessTask::State::exited:
        found.state = State::exited;
        break;
    }
    found.is_healthy = task->is_healthy() && found.state == State::running;
    found.addresses = task->addresses();
    found.exit_code = task->exit().exit_code;
    found.error = task->exit().error;
    existing.push_back(std::move(found));
  }
  done(std::move(existing));
}

bool ProcessExecutor::is_any_starting() {
  const auto names = files_->list(tasks_directory_);
  if (!names.ok()) {
    return false;
  }
  return std::any_of(names->begin(), names->end(), [this](const std::string& name) {
    return find(model::TaskId(name)) == nullptr &&
           TaskDirectory(*files_, tasks_directory_ / name).is_starting();
  });
}

Status ProcessExecutor::adopt_all() {
  const auto names = files_->list(tasks_directory_);
  if (absl::IsNotFound(names.status())) {
    return absl::OkStatus();
  }
  if (!names.ok()) {
    return names.status();
  }
  for (const std::string& name : *names) {
    if (find(model::TaskId(name)) == nullptr) {
      adopt(name);
    }
  }
  return absl::OkStatus();
}

void ProcessExecutor::adopt(const std::string& name) {
  TaskDirectory directory(*files_, tasks_directory_ / name);
  auto record = directory.read_task();
  if (!record.ok() || record->labels.task.value() != name) {
    // Left by a crash or a power loss in the middle of its making: there was no process yet.
    log::warning("task directory not understood",
                 {{"path", directory.path().string()}, {"error", record.status().message()}});
    return;
  }
  const model::TaskId id = record->labels.task;
  ProcessTask& task = add(id, std::move(directory), *std::move(record));
  if (Status status = task.adopt(); !status.ok()) {
    log::warning("task not adopted", {{"task", name}, {"error", status.message()}});
    tasks_.erase(id);
  }
}

Result<TaskRecord> ProcessExecutor::make_record(const agent::TaskLabels& labels,
                                                const model::TaskTemplate& spec) {
  const model::ContainerSpec& container = spec.container;
  SWARM_RETURN_IF_ERROR(refuse_unsupported(container));
  SWARM_ASSIGN_OR_RETURN(const Bundle bundle, bundles_.find(container.image));
  TaskRecord record;
  record.labels = labels;
  record.mark = make_mark(labels.task, tasks_directory_);
  record.command = command_of(bundle, container, *files_);
  record.environment = environment_of(bundle, labels, container);
  const std::string workdir =
      container.overrides->workdir.empty() ? bundle.manifest.workdir : container.overrides->workdir;
  record.workdir = (bundle.directory / workdir).lexically_normal().string();
  SWARM_ASSIGN_OR_RETURN(record.health, health_of(bundle, container));
  for (const model::TargetPort& port : model::target_ports(spec.ports)) {
    record.ports.push_back({.target = port.target, .protocol = port.protocol});
  }
  if (record.ports.empty()) {
    // Tasks share the host's ports: one that publishes nothing must not take the port it would
    // listen on by default from another, and its health check must find it.
    record.ports.push_back({.target = kUnpublished});
  }
  record.stop_signal = container.overrides->stop_signal.empty() ? bundle.manifest.stop_signal
                                                                : container.overrides->stop_signal;
  record.grace = container.stop_grace_period;
  record.limits = {.memory_bytes = spec.resources->limits.memory_bytes,
                   .nano_cpus = spec.resources->limits.nano_cpus,
                   .pids = spec.resources->pids_limit};
  return record;
}

Status ProcessExecutor::prepare_now(const agent::TaskLabels& labels,
                                    const model::TaskTemplate& spec) {
  if (const ProcessTask* const known = find(labels.task); known != nullptr) {
    return known->state() == ProcessTask::State::created
               ? absl::OkStatus()
               : absl::FailedPreconditionError("the task was started before");
  }
  if (!is_file_name(labels.task.value())) {
    return absl::FailedPreconditionError("'" + labels.task.value() + "' is no task id");
  }
  SWARM_ASSIGN_OR_RETURN(TaskRecord record, make_record(labels, spec));
  TaskDirectory directory(*files_, tasks_directory_ / labels.task.value());
  SWARM_RETURN_IF_ERROR(directory.create());
  SWARM_RETURN_IF_ERROR(directory.write(record));
  add(labels.task, std::move(directory), std::move(record));
  return absl::OkStatus();
}

void ProcessExecutor::prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
                              absl::AnyInvocable<void(Result<std::string>)> done) {
  if (Status status = prepare_now(labels, spec); !status.ok()) {
    done(std::move(status));
    return;
  }
  done(labels.task.value());
}

void ProcessExecutor::start(const model::TaskId& task, Done done) {
  ProcessTask* const found = find(task);
  if (found == nullptr) {
    done(absl::NotFoundError("task " + task.value() + " was not prepared"));
    return;
  }
  found->start(std::move(done));
}

void ProcessExecutor::stop(const model::TaskId& task, Duration grace, Done done) {
  ProcessTask* const found = find(task);
  if (found == nullptr) {
    done(absl::OkStatus());
    return;
  }
  found->stop(grace, std::move(done));
}

void ProcessExecutor::remove(const model::TaskId& task, Done done) {
  ProcessTask* const found = find(task);
  if (found == nullptr) {
    done(absl::OkStatus());
    return;
  }
  if (Status status = found->remove(); !status.ok()) {
    done(std::move(status));
    return;
  }
  tasks_.erase(task);
  done(absl::OkStatus());
}

ProcessTask& ProcessExecutor::add(const model::TaskId& id, TaskDirectory directory,
                                  TaskRecord record) {
  auto task = std::make_unique<ProcessTask>(loop_, ports_, std::move(directory), std::move(record),
                                            options_.shim_command,
                                            [this, id](const agent::ExecutorEvent& event) {
                                              if (listener_) {
                                                listener_(id, event);
                                              }
                                            });
  return *(tasks_[id] = std::move(task));
}

ProcessTask* ProcessExecutor::find(const model::TaskId& task) {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : found->second.get();
}

}  // namespace swarm::runtime
