#include "agent/status_reporter.h"

#include <utility>

namespace swarm::agent {

StatusReporter::StatusReporter(EventLoop& loop, Send send)
    : loop_(loop), send_(std::move(send)), timer_(loop_) {}

void StatusReporter::report(const model::TaskId& task, const model::TaskStatus& status) {
  const auto [found, is_new] = statuses_.try_emplace(task, status);
  if (!is_new) {
    if (found->second == status) {
      return;
    }
    found->second = status;
  }
  unsent_.insert(task);
  if (is_connected_ && !timer_.is_set()) {
    timer_.set_after(kReportDelay, [this] { flush(); });
  }
}

void StatusReporter::forget(const model::TaskId& task) {
  // A container may be gone before its end was told, and the manager keeps a task until it has
  // heard of that. While disconnected the next complete set names the task again.
  if (is_connected_ && unsent_.contains(task)) {
    flush();
  }
  statuses_.erase(task);
  unsent_.erase(task);
}

void StatusReporter::connected() {
  is_connected_ = true;
  for (const auto& [task, status] : statuses_) {
    unsent_.insert(task);
  }
  flush();
}

void StatusReporter::disconnected() {
  is_connected_ = false;
  timer_.cancel();
}

void StatusReporter::flush() {
  timer_.cancel();
  std::vector<model::TaskReport> reports;
  for (const model::TaskId& task : std::exchange(unsent_, {})) {
    reports.push_back({task, statuses_.at(task)});
    if (reports.size() == kMaxReports) {
      send_(std::exchange(reports, {}));
    }
  }
  if (!reports.empty()) {
    send_(std::move(reports));
  }
}

}  // namespace swarm::agent
