#include "dispatcher/status_intake.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "dispatcher/node_records.h"
#include "state/reconciler.h"

namespace swarm::dispatcher {

using model::TaskState;
using model::TaskStatus;

namespace {

bool is_for_agents(TaskState state) {
  return state >= TaskState::accepted && state <= TaskState::rejected;
}

// Whether `next` may follow `last` in the life of one task.
bool may_follow(const TaskStatus& last, const TaskStatus& next) {
  return is_terminal(last.state) ? false : next.state >= last.state;
}

// What a running task waits for is one: it serves nobody, or not at all of its ports, meanwhile.
bool is_hard(const TaskStatus& stored, const TaskStatus& status) {
  if (status.state < TaskState::running) {
    return false;
  }
  return status.state != stored.state || status.error != stored.error ||
         status.exit_code != stored.exit_code || status.container_id != stored.container_id ||
         status.running_since != stored.running_since || status.wait != stored.wait ||
         (status.wait != model::WaitReason::none && status.message != stored.message);
}

// An agent that has not heard yet that its task was taken over cannot know that this one serves its
// new ports.
void keep_wait_for_ports(const model::Task& task, TaskStatus& status) {
  const bool waits =
      task.status.state == TaskState::running && task.status.wait == model::WaitReason::health;
  if (waits && status.state == TaskState::running && status.revision != task.revision) {
    status.wait = task.status.wait;
    status.message = task.status.message;
  }
}

void cut(std::string& text) {
  if (text.size() > kMaxStatusText) {
    text.resize(kMaxStatusText);
  }
}

}  // namespace

StatusIntake::StatusIntake(EventLoop& loop, state::Store& store)
    : loop_(loop), store_(store), timer_(loop) {}

void StatusIntake::receive(const model::NodeId& node, std::vector<model::TaskReport> reports) {
  for (model::TaskReport& report : reports) {
    const state::TaskPtr task = store_.view().task(report.task);
    if (task != nullptr && task->node == node && is_for_agents(report.status.state)) {
      take(*task, std::move(report.status));
    }
  }
  schedule();
}

void StatusIntake::take(const model::Task& task, TaskStatus status) {
  const auto pending = pending_.find(task.id);
  const TaskStatus& last = pending == pending_.end() ? task.status : pending->second;
  if (!may_follow(last, status)) {
    return;
  }
  keep_wait_for_ports(task, status);
  cut(status.message);
  cut(status.error);
  cut(status.container_id);
  if (pending != pending_.end() || is_hard(task.status, status)) {
    pending_[task.id] = std::move(status);  // shown once it is stored
  } else if (status == task.status) {
    soft_.erase(task.id);
  } else {
    soft_[task.id] = std::move(status);
  }
}

void StatusIntake::schedule() {
  if (pending_.empty()) {
    return;
  }
  if (pending_.size() >= state::kMaxDecisions) {
    flush();
    return;
  }
  if (!timer_.is_set()) {
    TimePoint due = loop_.now() + kStatusDelay;
    if (last_flush_) {
      due = std::max(due, *last_flush_ + kStatusInterval);
    }
    timer_.set_at(due, [this] { flush(); });
  }
}

void StatusIntake::flush() {
  timer_.cancel();
  last_flush_ = loop_.now();
  while (!pending_.empty()) {
    state::ChangeSet changes;
    auto end = pending_.begin();
    for (; end != pending_.end() && changes.puts.size() < state::kMaxDecisions; ++end) {
      const state::TaskPtr stored = store_.view().task(end->first);
      if (stored != nullptr && may_follow(stored->status, end->second)) {
        model::Task updated = *stored;
        updated.status = end->second;
        keep_wait_for_ports(*stored, updated.status);
        changes.put(std::move(updated));
      }
    }
    const Result<model::Position> position = store_.commit(std::move(changes), loop_.wall_now());
    if (!position.ok() && position.status().code() != absl::StatusCode::kFailedPrecondition) {
      log::warning("task statuses not stored, will retry",
                   {{"error", position.status().message()}});
      timer_.set_after(kCommitRetryWait, [this] { flush(); });
      return;
    }
    // What was remembered of them came before. Not leading any more: the agents report again to the
    // next leader.
    std::for_each(pending_.begin(), end, [this](const auto& done) { soft_.erase(done.first); });
    pending_.erase(pending_.begin(), end);
  }
}

void StatusIntake::observe(const model::TaskId& task, const model::Task* after) {
  const auto found = soft_.find(task);
  if (found == soft_.end()) {
    return;
  }
  if (after == nullptr || after->status == found->second ||
      !may_follow(after->status, found->second)) {
    soft_.erase(found);
  }
}

const TaskStatus* StatusIntake::soft(const model::TaskId& task) const {
  const auto found = soft_.find(task);
  return found == soft_.end() ? nullptr : &found->second;
}

}  // namespace swarm::dispatcher
