#include "cli/wait.h"

#include <algorithm>
#include <utility>

#include "base/units.h"
#include "cli/progress.h"

namespace swarm::cli {

namespace {

using api::Client;

bool is_transient(const Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsAborted(status);
}

class Wait {
 public:
  Wait(Session& session, std::string service_id, const WaitOptions& options)
      : session_(session),
        service_id_(std::move(service_id)),
        options_(options),
        printer_(session.environment().terminal, options.is_quiet),
        convergence_(options.command),
        started_at_(session.clock().now()) {}

  int run() {
    session_.clock().catch_interrupt();
    for (;;) {
      if (const std::optional<int> code = poll()) {
        return *code;
      }
      if (has_timed_out()) {
        return report_timeout();
      }
      if (!session_.clock().sleep(time_to_next_poll())) {
        return report_interrupt();
      }
    }
  }

 private:
  std::optional<int> poll() {
    const Result<Client::ServiceSummary> summary = session_.client().get_service(service_id_);
    if (!summary.ok()) {
      return on_error(summary.status());
    }
    const Result<std::vector<Client::TaskView>> tasks =
        session_.client().list_tasks({.services = {service_id_}, .nodes = {}});
    if (!tasks.ok()) {
      return on_error(tasks.status());
    }
    unavailable_since_.reset();
    return on_snapshot(*summary, *tasks);
  }

  std::optional<int> on_snapshot(const Client::ServiceSummary& summary,
                                 const std::vector<Client::TaskView>& tasks) {
    const model::Service& service = summary.service;
    name_ = service.settings.name;
    progress_ = measure_progress(service, tasks, options_.command.what == WaitFor::scale,
                                 session_.clock().wall_now());
    note_closed_ports(summary.closed_ports, &progress_);
    const Convergence::Step step = convergence_.observe(service, progress_, session_.clock().now());
    if (!step.notice.empty()) {
      printer_.say(step.notice);
    }
    verify_left_ = step.verify_left;
    printer_.show(progress_, step.verify_left);
    if (!step.outcome) {
      return std::nullopt;
    }
    const bool is_as_asked = step.outcome->exit_code == exit_code::kOk;
    if (is_as_asked && step.outcome->advice.empty()) {
      printer_.say(step.outcome->message);
    } else if (is_as_asked) {
      session_.print_error("Warning: " + step.outcome->message);  // also when it is to be quiet
    } else {
      session_.print_error("Error: " + step.outcome->message);
    }
    if (!step.outcome->advice.empty()) {
      session_.print_error(step.outcome->advice);
    }
    return step.outcome->exit_code;
  }

  // A change of leader is not the end of the operation.
  std::optional<int> on_error(const Status& status) {
    if (absl::IsNotFound(status) && !name_.empty()) {
      session_.print_error("Error: service " + name_ + " was removed");
      return exit_code::kError;
    }
    if (!is_transient(status)) {
      return session_.fail(status);
    }
    const TimePoint now = session_.clock().now();
    if (!unavailable_since_) {
      unavailable_since_ = now;
      printer_.say("waiting for the swarm: " + std::string(status.message()));
    }
    if (now - *unavailable_since_ < kMaxUnavailable) {
      return std::nullopt;
    }
    const int code = session_.fail(status);
    print_how_to_continue();
    return code;
  }

  bool has_timed_out() {
    const std::optional<Duration> timeout = session_.options().timeout;
    return timeout && session_.clock().now() - started_at_ >= *timeout;
  }

  Duration time_to_next_poll() {
    const std::optional<Duration> timeout = session_.options().timeout;
    if (!timeout) {
      return kPollPeriod;
    }
    return std::clamp(started_at_ + *timeout - session_.clock().now(), Duration{}, kPollPeriod);
  }

  int report_timeout() {
    session_.print_error("Error: timed out after " + format_duration(*session_.options().timeout) +
                         ": " + std::to_string(progress_.running) + " out of " +
                         std::to_string(progress_.total) + " tasks are running");
    for (const SlotProgress& slot : progress_.slots) {
      if (slot.has_reason()) {
        session_.print_error("  slot " + std::to_string(slot.slot) + ": " +
                             std::string(model::to_string(slot.state)) + ": " + slot.text(true));
      }
    }
    if (!progress_.closed_port.empty()) {
      session_.print_error("  " + progress_.closed_port);
    } else if (verify_left_) {
      session_.print_error("  " + verify_line(*verify_left_));
    }
    print_how_to_continue();
    return exit_code::kTimeout;
  }

  int report_interrupt() {
    print_how_to_continue();
    return exit_code::kInterrupted;
  }

  void print_how_to_continue() {
    session_.print_error("Operation continuing in background. Use `swarmctl service ps " +
                         (name_.empty() ? service_id_ : name_) + "` to check progress.");
  }

  Session& session_;
  const std::string service_id_;
  std::string name_;  // empty until it was seen
  const WaitOptions options_;
  ProgressPrinter printer_;
  Convergence convergence_;
  const TimePoint started_at_;
  Progress progress_;
  std::optional<Duration> verify_left_;  // nothing: it is not verified yet
  std::optional<TimePoint> unavailable_since_;
};

}  // namespace

int wait_for_convergence(Session& session, const std::string& service_id,
                         const WaitOptions& options) {
  return Wait(session, service_id, options).run();
}

}  // namespace swarm::cli
