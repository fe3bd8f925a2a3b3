// How a task gets its ports, and what it does when another program is faster.

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/log.h"
#include "platform/port_listener.h"
#include "runtime/process/process_task.h"

namespace swarm::runtime {

namespace {

// Somebody who takes every port that the task is given is not shaken off by more tries.
constexpr int kMaxMoves = 5;
// A task that serves nobody has nothing to finish.
constexpr Duration kMoveGrace = seconds(1);
// Why a program could not open its port stands at the end of what it printed.
constexpr size_t kReadBytes = 4096;

bool is_tcp(const TaskPort& port) {
  return port.protocol == model::PortProtocol::tcp;
}

bool tells_of_address_in_use(const std::string& text) {
  const std::string lower = absl::AsciiStrToLower(text);
  return absl::StrContains(lower, "address already in use") ||
         absl::StrContains(lower, "eaddrinuse");
}

}  // namespace

Status ProcessTask::choose_ports() {
  for (TaskPort& port : record_.ports) {
    if (port.port != 0) {
      continue;
    }
    const Result<uint16_t> chosen = ports_.choose(port.protocol);
    if (!chosen.ok()) {
      return absl::UnavailableError(chosen.status().message());
    }
    port.port = *chosen;
  }
  return absl::OkStatus();
}

void ProcessTask::release_ports() {
  for (TaskPort& port : record_.ports) {
    ports_.release(port.port);
    port.port = 0;
  }
}

std::optional<std::string> ProcessTask::find_lost_port() const {
  using Kind = platform::PortListener::Kind;
  const platform::ProcessId root = shim_ == nullptr ? platform::ProcessId() : shim_->id();
  for (const TaskPort& port : record_.ports) {
    if (!is_tcp(port)) {
      continue;
    }
    const platform::PortListener listener = platform::find_port_listener(port.port, root);
    if (listener.kind == Kind::stranger) {
      return "port " + std::to_string(port.port) + " was taken by " +
             (listener.name.empty() ? "another program" : listener.name);
    }
  }
  return std::nullopt;
}

std::optional<std::string> ProcessTask::find_lost_port(const ExitRecord& exit) const {
  if (const auto lost = find_lost_port()) {
    return lost;
  }
  if (exit.exit_code != 0 && tells_of_address_in_use(directory_.log_tail(kReadBytes))) {
    return "a port that it opens is in use by another program";
  }
  return std::nullopt;
}

bool ProcessTask::holds_its_ports() const {
  return std::all_of(record_.ports.begin(), record_.ports.end(), [this](const TaskPort& port) {
    return !is_tcp(port) || port.target == kUnpublished ||
           platform::find_port_listener(port.port, shim_->id()).kind ==
               platform::PortListener::Kind::member;
  });
}

void ProcessTask::blame_ports() {
  const std::string& lost = lost_port_.empty() ? last_lost_port_ : lost_port_;
  if (is_healthy_ || lost.empty()) {
    return;
  }
  exit_.error += (exit_.error.empty() ? "" : "; ") + lost;
  if (moves_ > 0) {
    exit_.error += " (started again on other ports " + std::to_string(moves_) + " times before)";
  }
}

bool ProcessTask::may_move() const {
  return state_ == State::running && !is_healthy_ && on_stopped_.empty() && moves_ < kMaxMoves;
}

bool ProcessTask::leave_lost_port() {
  if (!may_move() || !lost_port_.empty()) {
    return !lost_port_.empty();
  }
  const std::optional<std::string> lost = find_lost_port();
  if (!lost) {
    return false;
  }
  lost_port_ = *lost;
  health_.reset();
  look_again_.cancel();
  if (Status status = directory_.write_grace(kMoveGrace); !status.ok()) {
    log::warning("grace period not written",
                 {{"task", record_.labels.task.value()}, {"error", status.message()}});
  }
  // NOT_FOUND: it has just ended, and the watch is about to say so.
  (void)platform::terminate_process(shim_->id());
  guard_.set_after(2 * kMoveGrace, [this] { (void)platform::kill_process(shim_->id()); });
  return true;
}

// The shim has ended, and with it everything of the task.
void ProcessTask::move() {
  ++moves_;
  last_lost_port_ = std::exchange(lost_port_, "");
  log::warning("task lost a port, starting it again on others",
               {{"task", record_.labels.task.value()}, {"reason", last_lost_port_}});
  const std::vector<TaskPort> lost = record_.ports;
  for (TaskPort& port : record_.ports) {
    port.port = 0;
  }
  state_ = State::created;
  Status status = directory_.forget_run();
  if (status.ok()) {
    status = choose_ports();
  }
  // Only now: the new ones are others.
  for (const TaskPort& port : lost) {
    ports_.release(port.port);
  }
  const auto on_started = [this](const Status& started) {
    if (!started.ok()) {
      exit_.error = std::string(started.message());
      report_exit();
    }
  };
  if (status.ok()) {
    start(on_started);
  } else {
    on_started(status);
  }
}

}  // namespace swarm::runtime
