#include "runtime/docker/container_watcher.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "runtime/docker/exec_check.h"
#include "runtime/docker/run_ending.h"
#include "runtime/probe/tcp_check.h"

namespace swarm::runtime {

namespace {

using Kind = agent::ExecutorEvent::Kind;
using Health = ContainerState::Health;

// What was begun again by hand gets the usual time to stop.
constexpr Duration kUndoGrace = seconds(10);
// An engine may show that a container has ended a moment before it remembers how.
constexpr Duration kHistoryDelay = milliseconds(300);
// With a shorter interval the engine's own first check comes soon enough.
constexpr Duration kLongInterval = seconds(1);

bool is_up(const std::string& engine_status) {
  return engine_status == "running" || engine_status == "paused" || engine_status == "restarting";
}

}  // namespace

// ---- which there are ----

void ContainerWatcher::add(const agent::TaskLabels& labels, const std::string& container,
                           std::vector<TargetPort> ports) {
  forget(labels.task);
  Task task;
  task.labels = labels;
  task.container = container;
  task.ports = std::move(ports);
  task.run_since = loop_.wall_now().time_since_epoch().count();
  tasks_.insert_or_assign(labels.task, std::move(task));
  by_container_[container] = labels.task;
}

agent::ExistingTask ContainerWatcher::adopt(const FoundContainer& found) {
  const ContainerState& state = found.state;
  add(*state.labels, state.id, state.ports);
  Task& task = tasks_[state.labels->task];
  task.seen_status = state.raw_status;
  task.seen_address = state.address;
  task.is_started = state.status != ContainerState::Status::created;
  if (state.status == ContainerState::Status::running) {
    task.run = state.started_at;
    task.is_healthy = found.is_healthy;
    task.addresses = state.addresses();
    task.address = state.address;
    // For those that are not healthy yet, and for what has changed since.
    refresh(state.labels->task);
  } else if (state.status == ContainerState::Status::exited) {
    task.has_ended = true;
    task.ending.exit_code = found.ending.exit_code;
    task.ending.error = found.ending.error;
    task.ending.is_external_stop = found.ending.is_external_stop;
  }
  return describe(task);
}

void ContainerWatcher::publish(const model::TaskId& task, std::vector<TargetPort> ports) {
  Task* const found = find(task);
  if (found == nullptr || found->ports == ports) {
    return;
  }
  found->ports = std::move(ports);
  found->has_new_ports = true;
  found->readiness.reset();
  refresh(task);
}

void ContainerWatcher::forget(const model::TaskId& task) {
  if (const auto found = tasks_.find(task); found != tasks_.end()) {
    by_container_.erase(found->second.container);
    tasks_.erase(found);
  }
}

agent::ExistingTask ContainerWatcher::describe(const Task& task) {
  using State = agent::ExistingTask::State;
  const State state = task.has_ended    ? State::exited
                      : task.is_started ? State::running
                                        : State::created;
  const bool runs = state == State::running;
  return {.labels = task.labels,
          .container_id = task.container,
          .state = state,
          .is_healthy = runs && task.is_healthy,
          .addresses = runs ? task.addresses : std::vector<agent::TaskAddress>(),
          .exit_code = task.ending.exit_code,
          .error = task.ending.error,
          .is_external_stop = task.ending.is_external_stop};
}

std::vector<agent::ExistingTask> ContainerWatcher::known() const {
  std::vector<agent::ExistingTask> known;
  for (const auto& [id, task] : tasks_) {
    known.push_back(describe(task));
  }
  return known;
}

const std::string* ContainerWatcher::container(const model::TaskId& task) const {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : &found->second.container;
}

bool ContainerWatcher::runs(const model::TaskId& task) const {
  const auto found = tasks_.find(task);
  return found != tasks_.end() && found->second.is_started && !found->second.has_ended;
}

void ContainerWatcher::note_started(const model::TaskId& task) {
  if (Task* const found = find(task)) {
    found->is_started = true;
  }
}

void ContainerWatcher::note_stopping(const model::TaskId& task) {
  if (Task* const found = find(task)) {
    found->is_stopping = true;
    found->readiness.reset();
  }
}

ContainerWatcher::Task* ContainerWatcher::find(const model::TaskId& task) {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : &found->second;
}

// ---- when to look ----

void ContainerWatcher::observe(const EngineEvent& event) {
  if (const auto found = by_container_.find(event.container); found != by_container_.end()) {
    refresh(found->second);
  }
}

void ContainerWatcher::refresh_all() {
  for (const auto& [id, task] : tasks_) {
    refresh(id);
  }
}

void ContainerWatcher::compare(const std::vector<ListedContainer>& listed) {
  std::map<std::string, const ListedContainer*> by_id;
  for (const ListedContainer& container : listed) {
    by_id[container.id] = &container;
  }
  for (const auto& [id, task] : tasks_) {
    const auto found = by_id.find(task.container);
    // Not there, or not as it was seen; or what was to be undone is not undone yet.
    const bool has_changed = found == by_id.end() || found->second->state != task.seen_status ||
                             found->second->address != task.seen_address ||
                             (task.has_ended && is_up(task.seen_status));
    if (has_changed) {
      refresh(id);
    }
  }
}

void ContainerWatcher::refresh(const model::TaskId& task, Callback then) {
  Task* const found = find(task);
  if (found == nullptr) {
    if (then) {
      then();
    }
    return;
  }
  if (then) {
    found->after_refresh.push_back(std::move(then));
  }
  if (found->is_refreshing) {
    found->needs_refresh = true;
    return;
  }
  found->is_refreshing = true;
  engine_.inspect(found->container, anchor_.bind([this, task](const Result<ContainerState>& state) {
    on_inspected(task, state);
  }));
}

void ContainerWatcher::on_inspected(const model::TaskId& task,
                                    const Result<ContainerState>& state) {
  Task* const found = find(task);
  if (found == nullptr) {
    return;
  }
  found->is_refreshing = false;
  // A hint that came meanwhile may be about something this answer does not hold yet.
  if (std::exchange(found->needs_refresh, false)) {
    refresh(task);
    return;
  }
  auto waiting = std::exchange(found->after_refresh, {});
  if (state.ok()) {
    ContainerState serving = *state;
    serving.ports = found->ports;
    compare(task, serving);
  } else if (absl::IsNotFound(state.status()) && found->is_started) {
    agent::ExecutorEvent event;
    event.kind = Kind::lost;
    event.error = "the engine no longer knows the container";
    tell_end(task, event);
  }
  // An engine that does not answer is looked at again when its events are back.
  for (Callback& callback : waiting) {
    callback();
  }
}

// ---- what is new ----

void ContainerWatcher::compare(const model::TaskId& task, const ContainerState& state) {
  Task& found = *find(task);
  found.seen_status = state.raw_status;
  found.seen_address = state.address;
  if (!state.restart_policy.empty() && state.restart_policy != "no") {
    forbid_restarts(task);
  }
  if (!found.is_started) {
    return;
  }
  if (found.has_ended) {
    if (is_up(state.raw_status)) {
      stop_again(task);
    }
    return;
  }
  if (state.status == ContainerState::Status::created && found.is_stopping) {
    // A start that was given up never took effect. Should it still, the run is stopped.
    found.has_ended = true;
    return;
  }
  const bool is_another_run = !found.run.empty() && found.run != state.started_at;
  if (state.status == ContainerState::Status::exited || is_another_run) {
    begin_ending(task, state);
    return;
  }
  if (state.status == ContainerState::Status::running && !found.is_ending) {
    found.run = state.started_at;
    compare_running(task, state);
  }
}

void ContainerWatcher::compare_running(const model::TaskId& task, const ContainerState& state) {
  Task* const found = find(task);
  if (found->is_stopping) {
    return;
  }
  if (state.is_paused) {
    tell_unreachable(task, "paused from outside");
    return;
  }
  if (!state.ports.empty() && state.address.empty()) {
    tell_unreachable(task, "disconnected from its network from outside");
    return;
  }
  if (found->address != state.address) {
    // Another container may have the old one by now: nothing goes there any more, and the new one
    // has to show that it is served.
    const bool was_told = found->is_healthy && !found->addresses.empty();
    found->readiness.reset();
    found->addresses = state.addresses();
    found->address = state.address;
    if (was_told) {
      tell_unreachable(task, "its network address has changed");
    }
  }
  if (find(task) != nullptr) {
    compare_health(task, state);
  }
}

void ContainerWatcher::compare_health(const model::TaskId& task, const ContainerState& state) {
  switch (state.health) {
    case Health::none:
    case Health::starting:
      watch_readiness(task, state);
      return;
    case Health::healthy:
      tell_healthy(task, state);
      return;
    case Health::unhealthy:
      tell_unhealthy(task,
                     state.health_output.empty() ? "its health check fails" : state.health_output);
      return;
  }
}

void ContainerWatcher::watch_readiness(const model::TaskId& task, const ContainerState& state) {
  Task* const found = find(task);
  const bool is_told = found->is_healthy && !found->has_new_ports;
  if (is_told || found->readiness != nullptr) {
    return;
  }
  const ContainerState::HealthCommand& health = state.health_command;
  std::unique_ptr<Check> check;
  HealthPolicy policy = readiness_policy();
  if (state.health == Health::none) {
    check = make_tcp_check(loop_, state.tcp_addresses());
  } else if (!health.command.empty() && health.interval > kLongInterval) {
    check = make_exec_check(loop_, engine_, found->container, health.command);
    policy = command_readiness_policy(health.timeout);
  } else {
    return;
  }
  HealthMonitor::Events events;
  events.on_healthy = [this, task, state] { tell_healthy(task, state); };
  events.on_waiting = [this, task](const std::string& why) { tell_waiting(task, why); };
  found->readiness =
      std::make_unique<HealthMonitor>(loop_, std::move(check), policy, std::move(events));
}

// ---- its end ----

void ContainerWatcher::begin_ending(const model::TaskId& task, const ContainerState& state) {
  Task* const found = find(task);
  found->readiness.reset();
  if (found->is_stopping) {
    agent::ExecutorEvent event;
    event.kind = Kind::exited;
    event.exit_code = state.exit_code;
    event.error = state.error;
    tell_end(task, std::move(event));
  } else if (!std::exchange(found->is_ending, true)) {
    find_ending(task, state, true);
  }
}

void ContainerWatcher::find_ending(const model::TaskId& task, const ContainerState& state,
                                   bool may_look_again) {
  engine_.history(
      find(task)->container, anchor_.bind([this, task, state, may_look_again](
                                              const Result<std::vector<EngineEvent>>& history) {
        const Task* const found = find(task);
        if (found == nullptr || found->has_ended) {
          return;
        }
        std::optional<std::vector<EngineEvent>> remembered;
        if (history.ok()) {
          remembered = *history;
        }
        if (remembered && may_look_again && !remembers_ending(*remembered, found->run_since)) {
          loop_.call_at(loop_.now() + kHistoryDelay, anchor_.bind([this, task, state] {
            if (find(task) != nullptr) {
              find_ending(task, state, false);
            }
          }));
          return;
        }
        const RunEnding ending = judge_ending(state, found->run_since, remembered);
        agent::ExecutorEvent event;
        event.kind = Kind::exited;
        event.exit_code = ending.exit_code;
        event.error = ending.error;
        event.is_external_stop = ending.is_external_stop;
        tell_end(task, std::move(event));
      }));
}

void ContainerWatcher::stop_again(const model::TaskId& task) {
  Task* const found = find(task);
  if (std::exchange(found->is_being_undone, true)) {
    return;
  }
  log::warning("container was started again from outside after its end, stopping it",
               {{"task", task.value()}, {"container", found->container}});
  engine_.stop(found->container, kUndoGrace,
               anchor_.bind([this, task](const swarm::Status& status) {
                 if (Task* const stopped = find(task)) {
                   stopped->is_being_undone = false;
                   if (status.ok()) {
                     refresh(task);
                   }
                 }
               }));
}

void ContainerWatcher::forbid_restarts(const model::TaskId& task) {
  Task* const found = find(task);
  if (std::exchange(found->is_being_undone, true)) {
    return;
  }
  log::warning("restart policy of a container was changed from outside, setting it back",
               {{"task", task.value()}, {"container", found->container}});
  engine_.forbid_restarts(found->container, anchor_.bind([this, task](const swarm::Status& status) {
    if (Task* const forbidden = find(task)) {
      forbidden->is_being_undone = false;
      if (status.ok()) {
        refresh(task);
      }
    }
  }));
}

// ---- telling ----

void ContainerWatcher::tell_healthy(const model::TaskId& task, const ContainerState& state) {
  Task* const found = find(task);
  const bool has_new_ports = std::exchange(found->has_new_ports, false);
  if (std::exchange(found->is_healthy, true) && !has_new_ports) {
    return;
  }
  found->is_unreachable = false;
  found->addresses = state.addresses();
  found->address = state.address;
  agent::ExecutorEvent event;
  event.kind = Kind::healthy;
  event.addresses = found->addresses;
  tell(task, event);
}

void ContainerWatcher::tell_waiting(const model::TaskId& task, const std::string& why) {
  agent::ExecutorEvent event;
  event.kind = Kind::waiting;
  event.error = why;
  tell(task, event);
}

void ContainerWatcher::tell_unreachable(const model::TaskId& task, const std::string& why) {
  Task* const found = find(task);
  found->is_healthy = false;
  found->readiness.reset();
  if (std::exchange(found->is_unreachable, true)) {
    return;
  }
  agent::ExecutorEvent event;
  event.kind = Kind::unreachable;
  event.error = why;
  tell(task, event);
}

void ContainerWatcher::tell_unhealthy(const model::TaskId& task, const std::string& why) {
  if (std::exchange(find(task)->is_unhealthy, true)) {
    return;
  }
  agent::ExecutorEvent event;
  event.kind = Kind::unhealthy;
  event.error = why;
  tell(task, event);
}

void ContainerWatcher::tell_end(const model::TaskId& task, agent::ExecutorEvent event) {
  Task* const found = find(task);
  if (std::exchange(found->has_ended, true)) {
    return;
  }
  found->readiness.reset();
  found->ending = event;
  refresh(task);  // it may run again already
  tell(task, event);
}

// Last in its caller: the listener may forget the task, so it gets an id of its own.
void ContainerWatcher::tell(model::TaskId task, const agent::ExecutorEvent& event) {
  if (listener_) {
    listener_(task, event);
  }
}

}  // namespace swarm::runtime
