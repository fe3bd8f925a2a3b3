#include "agent/task_runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "model/target_port.h"

namespace swarm::agent {

using model::TaskState;
using model::WaitReason;

namespace {

bool is_worth_retrying(const Status& status) {
  return status.code() == absl::StatusCode::kUnavailable;
}

std::string end_message(TaskState state) {
  return state == TaskState::complete ? "finished" : std::string(to_string(state));
}

}  // namespace

TaskRunner::TaskRunner(TaskHost& host, TaskLabels labels, model::Assignment assignment,
                       Random random)
    : host_(host),
      labels_(std::move(labels)),
      assignment_(std::move(assignment)),
      backoff_(kMinRetryWait, kMaxRetryWait, random),
      retry_timer_(host.loop),
      unreachable_timer_(host.loop) {}

void TaskRunner::begin(Adoption adoption, std::vector<TaskAddress> addresses) {
  status_ = std::move(adoption.status);
  status_.revision = assignment_.revision;
  addresses_ = std::move(addresses);
  awaits_ports_ = adoption.step == TaskStep::running && lacks_address();
  if (is_terminal(status_.state)) {
    outcome_ = {status_.state, status_.error};
  } else if (adoption.step == TaskStep::draining) {
    outcome_ = {TaskState::shutdown, ""};
  }
  is_firing_ = true;  // events that come while entering the first step wait until it is entered
  enter(adoption.step);
  is_firing_ = false;
  publish();
  if (step_ == TaskStep::starting || step_ == TaskStep::running) {
    publish_ports();  // the container may have been made for others
  }
  handle_events();
  if (step_ == TaskStep::accepted && assignment_.desired < TaskState::shutdown) {
    fire(TaskEvent::begin);
  }
  pursue_desired();
}

void TaskRunner::set_revision(const model::Assignment& assignment) {
  // What has ended is assigned without most of its spec.
  if (assignment.revision == assignment_.revision || is_terminal(status_.state)) {
    return;
  }
  const bool has_other_ports =
      model::target_ports(assignment.spec.ports) != model::target_ports(assignment_.spec.ports);
  assignment_.revision = assignment.revision;
  assignment_.spec = assignment.spec;
  labels_.revision = assignment.revision;
  status_.revision = assignment.revision;
  if (has_other_ports && step_ >= TaskStep::launching && step_ <= TaskStep::running) {
    awaits_ports_ = lacks_address();
    publish_ports();
  }
  if (step_ == TaskStep::running) {
    show_running();
  }
  publish();
}

bool TaskRunner::lacks_address() const {
  const std::vector<model::TargetPort> targets = model::target_ports(assignment_.spec.ports);
  return std::any_of(targets.begin(), targets.end(), [this](const model::TargetPort& port) {
    return port.protocol == model::PortProtocol::tcp &&
           std::none_of(addresses_.begin(), addresses_.end(), [&port](const TaskAddress& address) {
             return address.target == port.target;
           });
  });
}

void TaskRunner::publish_ports() {
  host_.executor.publish(assignment_.task, assignment_.spec.ports);
}

void TaskRunner::show_running() {
  if (unreachable_timer_.is_set()) {
    return;  // that is said, and why
  }
  if (awaits_ports_) {
    set_status(TaskState::running, "running, not yet serving its new ports", WaitReason::health);
  } else {
    set_status(TaskState::running, "started");
  }
}

void TaskRunner::set_desired(TaskState desired) {
  if (desired <= assignment_.desired) {
    return;
  }
  assignment_.desired = desired;
  pursue_desired();
}

void TaskRunner::pursue_desired() {
  if (assignment_.desired >= TaskState::running && assignment_.desired < TaskState::shutdown) {
    fire(TaskEvent::run_wanted);
  }
  if (assignment_.desired >= TaskState::shutdown) {
    decide_outcome(TaskState::shutdown, "");
    fire(TaskEvent::stop_wanted);
  }
  if (assignment_.desired == TaskState::remove) {
    fire(TaskEvent::remove_wanted);
  }
}

void TaskRunner::fail(const std::string& error) {
  const bool was_launched = step_ >= TaskStep::launching;
  decide_outcome(was_launched ? TaskState::failed : TaskState::rejected, error);
  fire(TaskEvent::stop_wanted);
}

void TaskRunner::limit_stop(StopLimits limits) {
  model::TaskTemplate& spec = assignment_.spec;
  const bool is_cut = limits.drain < spec.drain_timeout;
  spec.drain_timeout = std::min(spec.drain_timeout, limits.drain);
  spec.container.stop_grace_period = std::min(spec.container.stop_grace_period, limits.grace);
  if (step_ == TaskStep::draining && is_cut) {
    drain();
  }
}

void TaskRunner::set_notice(const std::string& notice) {
  if (notice_ != notice) {
    notice_ = notice;
    publish();
  }
}

void TaskRunner::observe(const ExecutorEvent& event) {
  switch (event.kind) {
    case ExecutorEvent::Kind::healthy:
      is_healthy_ = true;
      awaits_ports_ = false;
      addresses_ = event.addresses;
      unreachable_timer_.cancel();
      if (step_ == TaskStep::running) {
        show_running();
        host_.mesh.admit(assignment_.task, assignment_.service, addresses_);
      }
      fire(TaskEvent::healthy);
      return;
    case ExecutorEvent::Kind::waiting:
      note_wait(event.error);
      return;
    case ExecutorEvent::Kind::unreachable:
      note_unreachable(event.error);
      return;
    case ExecutorEvent::Kind::unhealthy:
      is_healthy_ = false;
      if (next(step_, TaskEvent::unhealthy)) {
        decide_outcome(TaskState::failed,
                       event.error.empty() ? "unhealthy" : "unhealthy: " + event.error);
        fire(TaskEvent::unhealthy);
      }
      return;
    case ExecutorEvent::Kind::exited:
    case ExecutorEvent::Kind::lost:
      note_exit(event);
      fire(TaskEvent::exited);
      return;
  }
}

void TaskRunner::note_wait(const std::string& why) {
  if (step_ == TaskStep::preparing && why.empty()) {
    set_status(TaskState::preparing, "preparing", WaitReason::image);
  } else if (step_ == TaskStep::preparing) {
    set_status(TaskState::preparing, why, WaitReason::engine);
  } else if (step_ == TaskStep::launching || step_ == TaskStep::starting) {
    set_status(TaskState::starting, why, WaitReason::health);
  } else if (step_ == TaskStep::running && awaits_ports_) {
    set_status(TaskState::running, why, WaitReason::health);
  }
}

void TaskRunner::note_unreachable(const std::string& why) {
  is_healthy_ = false;
  if (step_ != TaskStep::starting && step_ != TaskStep::running) {
    return;
  }
  // Its open connections stay: a pause that ends in time breaks none.
  host_.mesh.retire(assignment_.task, Duration{0}, [] {});
  set_status(status_.state, why, WaitReason::engine);
  if (!unreachable_timer_.is_set()) {
    unreachable_timer_.set_after(kUnreachableGrace, [this, why] {
      fail(why + " for " + format_duration(kUnreachableGrace));
    });
  }
}

void TaskRunner::note_exit(const ExecutorEvent& event) {
  if (is_terminal(status_.state)) {
    return;
  }
  is_healthy_ = false;
  std::string error;
  TaskState state = TaskState::failed;
  const bool is_first = outcome_.state == TaskState::fresh;
  if (event.kind == ExecutorEvent::Kind::lost) {
    status_.is_external_stop = is_first;
    error = event.error.empty() ? "the container was removed by somebody else" : event.error;
  } else {
    if (!status_.exit_code) {
      status_.exit_code = event.exit_code;
      status_.is_external_stop = event.is_external_stop && is_first;
    }
    const Exit exit{event.exit_code, event.error, event.is_external_stop};
    error = error_of_exit(exit);
    state = state_of_exit(exit);
  }
  if (step_ == TaskStep::draining && outcome_.state == TaskState::shutdown &&
      state == TaskState::failed) {
    // It was to be stopped, but crashed before it was told: say so.
    outcome_ = {state, error + " while draining"};
  }
  if (step_ != TaskStep::stopping) {
    decide_outcome(state, std::move(error));
  }
}

void TaskRunner::decide_outcome(TaskState state, std::string error) {
  if (outcome_.state == TaskState::fresh) {
    outcome_ = {state, std::move(error)};
  }
}

void TaskRunner::fire(TaskEvent event) {
  events_.push_back(event);
  if (!is_firing_) {
    handle_events();
  }
}

void TaskRunner::handle_events() {
  is_firing_ = true;
  while (!events_.empty()) {
    const TaskEvent current = events_.front();
    events_.pop_front();
    if (const std::optional<TaskStep> step = next(step_, current)) {
      enter(*step);
    }
  }
  is_firing_ = false;
}

void TaskRunner::enter(TaskStep step) {
  log::debug(
      "task step",
      {{"task", assignment_.task.value()}, {"from", to_string(step_)}, {"to", to_string(step)}});
  step_ = step;
  attempts_ = 0;
  backoff_.reset();
  if (step > TaskStep::running) {
    unreachable_timer_.cancel();
  }
  act(step);
}

void TaskRunner::act(TaskStep step) {
  switch (step) {
    case TaskStep::accepted:
    case TaskStep::aborting:
      break;
    case TaskStep::preparing:
      set_status(TaskState::preparing, "preparing", WaitReason::image);
      call_prepare();
      break;
    case TaskStep::abandoned:
      // Nothing runs and nothing will: whoever waits for the end of the task need not wait for the
      // image to arrive.
      status_.error = outcome_.error;
      set_status(outcome_.state, end_message(outcome_.state));
      host_.executor.abandon(assignment_.task);
      break;
    case TaskStep::ready:
      set_status(TaskState::ready, "prepared");
      pursue_desired();
      break;
    case TaskStep::launching:
      set_status(TaskState::starting, "starting", WaitReason::health);
      call_start();
      break;
    case TaskStep::starting:
      set_status(TaskState::starting, "started, not yet healthy", WaitReason::health);
      if (is_healthy_) {
        fire(TaskEvent::healthy);
      }
      break;
    case TaskStep::running:
      enter_running();
      break;
    case TaskStep::draining:
      drain();
      break;
    case TaskStep::stopping:
      set_status(status_.state, "stopping");
      call_stop();
      break;
    case TaskStep::ended:
      enter_ended();
      break;
    case TaskStep::removing:
      call_remove();
      break;
    case TaskStep::gone:
      host_.gone(assignment_.task);
      break;
  }
  // A retry that was waited for when the task was told to stop: nothing is in flight then.
  if ((step == TaskStep::abandoned || step == TaskStep::aborting) && !is_call_pending_) {
    retry_timer_.cancel();
    fire(TaskEvent::call_failed);
  }
}

void TaskRunner::enter_running() {
  if (!is_set(status_.running_since)) {
    status_.running_since = host_.loop.wall_now();
  }
  status_.error.clear();
  show_running();
  // A mesh that was told before has more than the container says of itself.
  if (!awaits_ports_) {
    host_.mesh.admit(assignment_.task, assignment_.service, addresses_);
  }
}

void TaskRunner::drain() {
  set_status(status_.state, "draining connections");
  // A task that does not work has nothing to finish: its stop signal comes at once, and its grace
  // period is what its open connections have left.
  const bool is_requested = outcome_.state == TaskState::shutdown;
  const Duration timeout = is_requested ? assignment_.spec.drain_timeout : Duration{0};
  host_.mesh.retire(assignment_.task, timeout, anchor_.bind([this] { fire(TaskEvent::drained); }));
}

void TaskRunner::enter_ended() {
  // Harmless when it was retired before; needed when it crashed, or when the mesh still knows it
  // from before a restart.
  host_.mesh.retire(assignment_.task, Duration{0}, [] {});
  status_.error = outcome_.error;
  set_status(outcome_.state, end_message(outcome_.state));
  if (assignment_.desired == TaskState::remove) {
    fire(TaskEvent::remove_wanted);
  }
}

void TaskRunner::call_prepare() {
  is_call_pending_ = true;
  host_.executor.prepare(labels_, assignment_.spec,
                         anchor_.bind([this](Result<std::string> container) {
                           is_call_pending_ = false;
                           if (container.ok()) {
                             status_.container_id = *container;
                           }
                           if (is_worth_retrying(container.status()) &&
                               step_ == TaskStep::preparing && ++attempts_ < kMaxAttempts) {
                             retry(container.status(), &TaskRunner::call_prepare);
                             return;
                           }
                           call_finished(container.status(), TaskEvent::prepared);
                         }));
}

void TaskRunner::call_start() {
  is_call_pending_ = true;
  host_.executor.start(assignment_.task, anchor_.bind([this](const Status& status) {
    is_call_pending_ = false;
    if (is_worth_retrying(status) && step_ == TaskStep::launching && ++attempts_ < kMaxAttempts) {
      retry(status, &TaskRunner::call_start);
      return;
    }
    call_finished(status, TaskEvent::started);
  }));
}

void TaskRunner::call_stop() {
  host_.executor.stop(assignment_.task, assignment_.spec.container.stop_grace_period,
                      anchor_.bind([this](const Status& status) {
                        if (!status.ok()) {
                          retry(status, &TaskRunner::call_stop);
                          return;
                        }
                        fire(TaskEvent::stopped);
                      }));
}

void TaskRunner::call_remove() {
  host_.executor.remove(assignment_.task, anchor_.bind([this](const Status& status) {
    if (!status.ok()) {
      retry(status, &TaskRunner::call_remove);
      return;
    }
    fire(TaskEvent::removed);
  }));
}

void TaskRunner::call_finished(const Status& status, TaskEvent success) {
  status_.error.clear();
  if (!status.ok()) {
    decide_outcome(TaskState::rejected, std::string(status.message()));
  }
  fire(status.ok() ? success : TaskEvent::call_failed);
}

void TaskRunner::retry(const Status& status, void (TaskRunner::*call)()) {
  const std::string error(status.message());
  if (const uint64_t times = host_.faults.failed(error, host_.loop.now()); times > 0) {
    log::warning("engine refused, will retry", {{"task", assignment_.task.value()},
                                                {"step", to_string(step_)},
                                                {"error", error},
                                                {"times", times}});
  }
  if (!is_terminal(status_.state)) {
    status_.error = error;
    publish();
  }
  retry_timer_.set_after(backoff_.next(), [this, call] { (this->*call)(); });
}

void TaskRunner::set_status(TaskState state, std::string message, WaitReason wait) {
  // Observed states never go back, and an end is final.
  if (is_terminal(status_.state)) {
    return;
  }
  if (state > status_.state) {
    status_.state = state;
    status_.at = host_.loop.wall_now();
  }
  status_.message = std::move(message);
  status_.wait = wait;
  publish();
}

void TaskRunner::publish() {
  model::TaskStatus shown = status_;
  if (!notice_.empty() && !is_terminal(shown.state)) {
    shown.message = notice_;
  }
  host_.report(assignment_.task, shown);
}

}  // namespace swarm::agent
