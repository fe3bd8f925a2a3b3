#include "agent/worker.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"

namespace swarm::agent {

using model::TaskState;

namespace {

// The task behind a container nobody assigned: enough to stop it decently.
model::Assignment assignment_of(const TaskLabels& labels) {
  model::Assignment assignment;
  assignment.task = labels.task;
  assignment.service = labels.service;
  assignment.service_name = labels.service_name;
  assignment.slot = labels.slot;
  assignment.revision = labels.revision;
  assignment.desired = TaskState::remove;
  return assignment;
}

bool publishes(const model::Assignment& assignment, const MeshControl::PortProblem& problem) {
  const std::vector<model::PublishedPort>& ports = assignment.spec.ports;
  return assignment.service == problem.service &&
         std::find(ports.begin(), ports.end(), problem.port) != ports.end();
}

}  // namespace

Worker::Worker(EventLoop& loop, Executor& executor, MeshControl& mesh, AssignmentStore& store,
               model::SwarmId swarm, model::NodeId node, Random random, Events events)
    : loop_(loop),
      executor_(executor),
      store_(store),
      swarm_(std::move(swarm)),
      node_(std::move(node)),
      random_(random),
      events_(std::move(events)),
      host_{loop, executor, mesh,
            [this](const model::TaskId& task, const model::TaskStatus& status) {
              save_soon();
              events_.on_status(task, status);
            },
            [this](const model::TaskId& task) {
              // The runner is still on the stack.
              loop_.post(anchor_.bind([this, task] { forget(task); }));
            }},
      list_timer_(loop),
      sweep_timer_(loop),
      save_timer_(loop) {}

void Worker::start(std::function<void()> done) {
  on_started_ = std::move(done);
  list();
}

void Worker::list() {
  executor_.list(swarm_, node_, anchor_.bind([this](Result<std::vector<ExistingTask>> existing) {
    if (!existing.ok()) {
      log_list_fault(existing.status());
      list_timer_.set_after(kListRetryWait, [this] { list(); });
      return;
    }
    log_list_recovery();
    restore(*std::move(existing));
    is_listed_ = true;
    on_started_();
    if (on_empty_ != nullptr) {
      remove_everything();
    }
  }));
}

void Worker::sweep() {
  executor_.list(swarm_, node_, anchor_.bind([this](Result<std::vector<ExistingTask>> existing) {
    sweep_timer_.set_after(kSweepPeriod, [this] { sweep(); });
    if (!existing.ok()) {
      log_list_fault(existing.status());
      return;
    }
    log_list_recovery();
    for (const ExistingTask& task : *existing) {
      if (!runners_.contains(task.labels.task)) {
        discard(task);
      }
    }
  }));
}

void Worker::log_list_fault(const Status& status) {
  const std::string error(status.message());
  if (const uint64_t times = list_faults_.failed(error, loop_.now()); times > 0) {
    log::warning("engine did not list its containers, will retry",
                 {{"error", error}, {"times", times}});
  }
}

void Worker::log_list_recovery() {
  if (const uint64_t times = list_faults_.recovered(); times > 0) {
    log::info("engine lists its containers again", {{"failures", times}});
  }
}

void Worker::restore(std::vector<ExistingTask> existing) {
  Result<AgentRecord> record = store_.load();
  if (!record.ok()) {
    log::error("record of assignments is unreadable, starting from what exists",
               {{"error", record.status().message()}});
    record = AgentRecord{};
  }
  for (ExistingTask& task : existing) {
    const model::TaskId id = task.labels.task;
    unclaimed_[id] = std::move(task);
  }
  std::map<model::TaskId, model::TaskStatus> statuses;
  for (model::TaskReport& report : record->reports) {
    statuses[report.task] = std::move(report.status);
  }
  for (const model::Assignment& assignment : record->assigned) {
    const auto status = statuses.find(assignment.task);
    const model::TaskStatus* kept = status == statuses.end() ? nullptr : &status->second;
    const auto found = unclaimed_.find(assignment.task);
    const ExistingTask* container = found == unclaimed_.end() ? nullptr : &found->second;
    const Adoption adoption = adopt(assignment, kept, container, loop_.wall_now());
    if (adoption.step == TaskStep::accepted || adoption.step == TaskStep::ready) {
      held_[assignment.task] = {assignment, adoption.status};
      continue;
    }
    log::info("task adopted", {{"task", assignment.task.value()},
                               {"service", assignment.service_name},
                               {"step", to_string(adoption.step)}});
    launch(assignment, kept, container);
  }
}

void Worker::launch(const model::Assignment& assignment, const model::TaskStatus* kept,
                    const ExistingTask* existing) {
  Adoption adoption = adopt(assignment, kept, existing, loop_.wall_now());
  TaskLabels labels{swarm_,
                    node_,
                    assignment.task,
                    assignment.service,
                    assignment.service_name,
                    assignment.slot,
                    assignment.revision};
  std::vector<TaskAddress> addresses;
  if (existing != nullptr) {
    addresses = existing->addresses;
  }
  auto runner = std::make_unique<TaskRunner>(host_, std::move(labels), assignment,
                                             random_.fork(assignment.task.value()));
  TaskRunner& launched = *runner;
  runners_.emplace(assignment.task, std::move(runner));
  unclaimed_.erase(assignment.task);
  launched.begin(std::move(adoption), std::move(addresses));
  apply_problems(launched);
  save_soon();
}

void Worker::apply(const model::AssignmentSet& set) {
  if (set.is_complete) {
    apply_complete(set);
    return;
  }
  for (const model::Assignment& assignment : set.assigned) {
    assign(assignment);
  }
  for (const model::TaskId& task : set.removed) {
    if (const auto found = runners_.find(task); found != runners_.end()) {
      found->second->set_desired(TaskState::remove);
    }
  }
  save_soon();
}

void Worker::apply_complete(const model::AssignmentSet& set) {
  std::set<model::TaskId> named;
  for (const model::Assignment& assignment : set.assigned) {
    named.insert(assignment.task);
    assign(assignment);
  }
  held_.clear();
  for (const auto& [task, runner] : runners_) {
    if (!named.contains(task)) {
      runner->set_desired(TaskState::remove);
    }
  }
  for (const auto& [task, existing] : std::exchange(unclaimed_, {})) {
    discard(existing);
  }
  if (!sweep_timer_.is_set()) {
    sweep_timer_.set_after(kSweepPeriod, [this] { sweep(); });
  }
  save_soon();
}

void Worker::discard(const ExistingTask& existing) {
  log::info("container of no assigned task found, removing it",
            {{"task", existing.labels.task.value()}, {"container", existing.container_id}});
  launch(assignment_of(existing.labels), nullptr, &existing);
}

void Worker::assign(const model::Assignment& assignment) {
  if (const auto found = runners_.find(assignment.task); found != runners_.end()) {
    found->second->set_revision(assignment);
    apply_problems(*found->second);
    found->second->set_desired(assignment.desired);
    return;
  }
  const auto held = held_.find(assignment.task);
  const auto existing = unclaimed_.find(assignment.task);
  launch(assignment, held == held_.end() ? nullptr : &held->second.status,
         existing == unclaimed_.end() ? nullptr : &existing->second);
}

void Worker::observe(const model::TaskId& task, const ExecutorEvent& event) {
  if (const auto found = runners_.find(task); found != runners_.end()) {
    found->second->observe(event);
    return;
  }
  const auto found = unclaimed_.find(task);
  if (found == unclaimed_.end()) {
    return;
  }
  ExistingTask& existing = found->second;
  switch (event.kind) {
    case ExecutorEvent::Kind::healthy:
      existing.is_healthy = true;
      existing.addresses = event.addresses;
      break;
    case ExecutorEvent::Kind::waiting:
      break;
    case ExecutorEvent::Kind::unreachable:
    case ExecutorEvent::Kind::unhealthy:
      existing.is_healthy = false;
      break;
    case ExecutorEvent::Kind::exited:
      existing.state = ExistingTask::State::exited;
      existing.exit_code = event.exit_code;
      existing.error = event.error;
      existing.is_external_stop = event.is_external_stop;
      break;
    case ExecutorEvent::Kind::lost:
      unclaimed_.erase(found);
      break;
  }
}

void Worker::set_port_problems(std::vector<MeshControl::PortProblem> problems) {
  problems_ = std::move(problems);
  for (const auto& [task, runner] : runners_) {
    apply_problems(*runner);
  }
}

void Worker::apply_problems(TaskRunner& runner) {
  std::string notice;
  for (const MeshControl::PortProblem& problem : problems_) {
    if (!publishes(runner.assignment(), problem)) {
      continue;
    }
    if (problem.port.mode == model::PublishMode::host) {
      runner.fail(problem.error);
      return;
    }
    notice += (notice.empty() ? "" : "; ") + problem.error;
  }
  runner.set_notice(notice);
}

void Worker::remove_all(StopLimits limits, std::function<void()> done) {
  limits_ = limits;
  on_empty_ = std::move(done);
  // What exists is not known yet: goes on when the engine has told.
  if (is_listed_) {
    remove_everything();
  }
}

Duration Worker::longest_stop(StopLimits limits) const {
  Duration longest{};
  for (const auto& [task, runner] : runners_) {
    const model::TaskTemplate& spec = runner->assignment().spec;
    longest = std::max(longest, std::min(spec.drain_timeout, limits.drain) +
                                    std::min(spec.container.stop_grace_period, limits.grace));
  }
  return longest;
}

void Worker::remove_everything() {
  held_.clear();
  for (const auto& [task, existing] : std::exchange(unclaimed_, {})) {
    discard(existing);
  }
  for (const auto& [task, runner] : runners_) {
    runner->limit_stop(limits_);
    runner->set_desired(TaskState::remove);
  }
  loop_.post(anchor_.bind([this] { check_empty(); }));
}

const TaskRunner* Worker::find(const model::TaskId& task) const {
  const auto found = runners_.find(task);
  return found == runners_.end() ? nullptr : found->second.get();
}

void Worker::forget(const model::TaskId& task) {
  runners_.erase(task);
  events_.on_gone(task);
  save_soon();
  check_empty();
}

void Worker::check_empty() {
  if (runners_.empty() && on_empty_ != nullptr) {
    save();
    std::exchange(on_empty_, nullptr)();
  }
}

void Worker::save_soon() {
  if (!save_timer_.is_set()) {
    save_timer_.set_after(kSaveDelay, [this] { save(); });
  }
}

void Worker::flush() {
  if (save_timer_.is_set() && !is_save_failing_) {
    save();
  }
}

void Worker::save() {
  save_timer_.cancel();
  AgentRecord record;
  for (const auto& [task, runner] : runners_) {
    record.assigned.push_back(runner->assignment());
    record.reports.push_back({task, runner->status()});
  }
  for (const auto& [task, held] : held_) {
    record.assigned.push_back(held.assignment);
    record.reports.push_back({task, held.status});
  }
  const Status status = store_.save(record);
  is_save_failing_ = !status.ok();
  if (is_save_failing_) {
    log::error("record of assignments could not be saved, will retry",
               {{"error", status.message()}});
    save_timer_.set_after(kSaveRetryWait, [this] { save(); });
  }
}

}  // namespace swarm::agent
