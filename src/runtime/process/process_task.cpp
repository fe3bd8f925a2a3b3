#include "runtime/process/process_task.h"

#include <utility>

#include "base/log.h"
#include "runtime/probe/http_check.h"
#include "runtime/probe/tcp_check.h"
#include "runtime/process/command_check.h"

namespace swarm::runtime {

namespace {

std::string local_address(const TaskPort& port) {
  return "127.0.0.1:" + std::to_string(port.port);
}

using Kind = agent::ExecutorEvent::Kind;

// A start is a fork and an exec; more means that the machine is stuck.
constexpr Duration kStartLimit = seconds(30);
// Beyond the grace period, for the shim to kill, collect and write down.
constexpr Duration kStopMargin = seconds(10);
constexpr Duration kLookAgain = milliseconds(100);
constexpr int32_t kKilledCode = 137;

}  // namespace

ProcessTask::ProcessTask(AsioLoop& loop, PortPool& ports, TaskDirectory directory,
                         TaskRecord record, std::vector<std::string> shim_command, EventSink sink)
    : loop_(loop),
      ports_(ports),
      directory_(std::move(directory)),
      record_(std::move(record)),
      shim_command_(std::move(shim_command)),
      sink_(std::move(sink)),
      guard_(loop),
      look_again_(loop) {}

std::vector<agent::TaskAddress> ProcessTask::addresses() const {
  std::vector<agent::TaskAddress> addresses;
  for (const TaskPort& port : record_.ports) {
    if (port.target != kUnpublished) {
      addresses.push_back({port.target, local_address(port)});
    }
  }
  return addresses;
}

Status ProcessTask::adopt() {
  for (const TaskPort& port : record_.ports) {
    ports_.take(port.port);
  }
  SWARM_ASSIGN_OR_RETURN(const auto exit, directory_.read_exit());
  if (exit) {
    if (!directory_.is_marked_healthy() && find_lost_port(*exit)) {
      // Nobody was there to start it again on other ports: whoever wants it does.
      release_ports();
      return directory_.forget_run();
    }
    state_ = State::exited;
    exit_ = *exit;
    return absl::OkStatus();
  }
  SWARM_ASSIGN_OR_RETURN(const auto started, directory_.read_start());
  if (!started) {
    return absl::OkStatus();
  }
  process_ = started->process;
  auto shim = platform::watch_process(
      loop_, started->shim, [this](platform::ExitStatus status) { on_shim_exit(status); });
  if (!shim.ok()) {
    state_ = State::exited;
    exit_ = find_exit({});
    return absl::OkStatus();
  }
  shim_ = *std::move(shim);
  state_ = State::running;
  is_healthy_ = directory_.is_marked_healthy();
  watch_health();
  return absl::OkStatus();
}

void ProcessTask::start(agent::Executor::Done done) {
  if (state_ != State::created) {
    done(state_ == State::exited ? absl::FailedPreconditionError("the task has ended")
                                 : absl::OkStatus());
    return;
  }
  if (Status status = spawn_shim(); !status.ok()) {
    done(std::move(status));
    return;
  }
  state_ = State::starting;
  on_started_ = std::move(done);
  guard_.set_after(kStartLimit, [this] { (void)platform::kill_process(shim_->id()); });
}

Status ProcessTask::spawn_shim() {
  SWARM_RETURN_IF_ERROR(choose_ports());
  SWARM_RETURN_IF_ERROR(directory_.write(record_));
  platform::SpawnRequest request;
  request.command = shim_command_;
  request.command.push_back(directory_.path().string());
  request.environment = record_.environment;
  request.workdir = "/";
  request.error_log = directory_.shim_log();
  request.wants_report = true;
  platform::ProcessEvents events;
  events.on_report = [this](const std::string& text) { on_report(text); };
  events.on_exit = [this](platform::ExitStatus status) { on_shim_exit(status); };
  SWARM_ASSIGN_OR_RETURN(shim_, platform::spawn_process(loop_, request, std::move(events)));
  return absl::OkStatus();
}

void ProcessTask::on_report(const std::string& text) {
  guard_.cancel();
  const auto report = decode_start_report(text);
  if (!report.ok()) {
    fail_start(absl::UnavailableError("the shim of the task failed; see " +
                                      directory_.shim_log().string()));
    return;
  }
  if (!report->status.ok()) {
    // What the shim lacks is the node's trouble; everything else is wrong with the task.
    const bool may_pass =
        absl::IsResourceExhausted(report->status) || absl::IsUnavailable(report->status);
    fail_start(may_pass ? absl::UnavailableError(report->status.message())
                        : absl::FailedPreconditionError(report->status.message()));
    return;
  }
  for (const std::string& warning : report->warnings) {
    log::warning("task started without a limit",
                 {{"task", record_.labels.task.value()}, {"reason", warning}});
  }
  process_ = report->process;
  state_ = State::running;
  watch_health();
  auto done = std::exchange(on_started_, nullptr);
  done(absl::OkStatus());
}

// The shim ends by itself.
void ProcessTask::fail_start(Status status) {
  state_ = State::exited;
  exit_ = {.exit_code = 127, .error = std::string(status.message())};
  auto done = std::exchange(on_started_, nullptr);
  done(std::move(status));
}

void ProcessTask::stop(Duration grace, agent::Executor::Done done) {
  if (state_ == State::created || state_ == State::exited) {
    done(absl::OkStatus());
    return;
  }
  if (Status status = directory_.write_grace(grace); !status.ok()) {
    log::warning("grace period not written",
                 {{"task", record_.labels.task.value()}, {"error", status.message()}});
  }
  // A failing check is no news of a task that is being stopped.
  health_.reset();
  look_again_.cancel();
  on_stopped_.push_back(std::move(done));
  // NOT_FOUND: it has just ended, and the watch is about to say so.
  (void)platform::terminate_process(shim_->id());
  guard_.set_after(grace + kStopMargin, [this] {
    log::warning("shim killed for not ending its task",
                 {{"task", record_.labels.task.value()}, {"pid", shim_->id().pid}});
    (void)platform::kill_process(shim_->id());
  });
}

Status ProcessTask::remove() {
  if (state_ == State::running || state_ == State::starting) {
    return absl::FailedPreconditionError("the task is still running");
  }
  // Again: what was vanishing when it was ended is gone by now.
  platform::Cgroup::discard(record_.mark);
  SWARM_RETURN_IF_ERROR(directory_.remove());
  release_ports();
  return absl::OkStatus();
}

void ProcessTask::on_shim_exit(platform::ExitStatus status) {
  guard_.cancel();
  look_again_.cancel();
  health_.reset();
  if (state_ == State::exited) {
    return;  // after a start that failed
  }
  exit_ = find_exit(status);
  if (lost_port_.empty() && !is_healthy_ && on_stopped_.empty()) {
    lost_port_ = find_lost_port(exit_).value_or("");
  }
  if (!lost_port_.empty() && may_move()) {
    move();
    return;
  }
  blame_ports();
  report_exit();
}

void ProcessTask::report_exit() {
  state_ = State::exited;
  agent::ExecutorEvent event;
  event.kind = Kind::exited;
  event.exit_code = exit_.exit_code;
  event.error = exit_.error;
  // The callbacks may destroy this.
  auto waiting = std::exchange(on_stopped_, {});
  sink_(event);
  for (auto& done : waiting) {
    done(absl::OkStatus());
  }
}

ExitRecord ProcessTask::find_exit(platform::ExitStatus status) {
  const auto written = directory_.read_exit();
  if (written.ok() && *written) {
    return **written;
  }
  if (status.is_known && status.signal == 0) {
    return {.exit_code = status.code, .error = ""};
  }
  // Somebody killed the shim. Nobody watches over the processes any more: they must not live on.
  kill_all();
  const ExitRecord record{.exit_code = kKilledCode, .error = "its shim was killed"};
  if (Status saved = directory_.write(record); !saved.ok()) {
    log::warning("exit code not written",
                 {{"task", record_.labels.task.value()}, {"error", saved.message()}});
  }
  return record;
}

void ProcessTask::kill_all() {
  if (Status killed = platform::kill_process_group(process_); !killed.ok()) {
    log::error("process of a lost task not killed",
               {{"task", record_.labels.task.value()}, {"error", killed.message()}});
  }
  if (!platform::Cgroup::kill(record_.mark) && !record_.mark.empty()) {
    platform::kill_marked_processes(mark_of(record_));
  }
}

std::unique_ptr<Check> ProcessTask::make_check() const {
  if (record_.health) {
    const std::vector<std::string>& test = record_.health->test;
    if (test.front() == "HTTP") {
      return make_http_check(loop_, local_address(record_.ports.front()), test[1]);
    }
    std::vector<std::string> command(test.begin() + 1, test.end());
    if (test.front() == "CMD-SHELL") {
      command = {"/bin/sh", "-c", test[1]};
    }
    return make_command_check(loop_, std::move(command), environment_of(record_), record_.workdir);
  }
  std::vector<agent::TaskAddress> targets;
  for (const TaskPort& port : record_.ports) {
    if (port.protocol == model::PortProtocol::tcp && port.target != kUnpublished) {
      targets.push_back({port.target, local_address(port)});
    }
  }
  return make_tcp_check(loop_, std::move(targets));
}

void ProcessTask::watch_health() {
  HealthMonitor::Events events;
  events.on_healthy = [this] { on_check_passed(); };
  events.on_unhealthy = [this](const std::string& why) {
    if (!leave_lost_port()) {
      send(Kind::unhealthy, why);
    }
  };
  events.on_waiting = [this](const std::string& why) {
    if (!leave_lost_port()) {
      send(Kind::waiting, why);
    }
  };
  if (!record_.health && is_healthy_) {
    return;
  }
  health_ = std::make_unique<HealthMonitor>(
      loop_, make_check(), record_.health ? health_policy(*record_.health) : readiness_policy(),
      std::move(events), is_healthy_);
}

// What answered is believed only if it is the task. A check of the task's own may pass before
// anybody listens; then nobody is asked for a port that does not answer.
void ProcessTask::on_check_passed() {
  if (leave_lost_port()) {
    return;
  }
  if (const std::optional<std::string> lost = find_lost_port()) {
    send(Kind::unhealthy, *lost);
    return;
  }
  if (!record_.health && !holds_its_ports()) {
    // Who answered is gone again, or is nobody that the system shows.
    look_again_.set_after(kLookAgain, [this] { watch_health(); });
    return;
  }
  become_healthy();
}

void ProcessTask::become_healthy() {
  is_healthy_ = true;
  if (Status status = directory_.mark_healthy(); !status.ok()) {
    log::warning("health not written",
                 {{"task", record_.labels.task.value()}, {"error", status.message()}});
  }
  send(Kind::healthy);
}

void ProcessTask::send(Kind kind, std::string error) {
  agent::ExecutorEvent event;
  event.kind = kind;
  event.error = std::move(error);
  if (kind == Kind::healthy) {
    event.addresses = addresses();
  }
  sink_(event);
}

}  // namespace swarm::runtime
