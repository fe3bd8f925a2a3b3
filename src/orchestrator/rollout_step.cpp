#include "orchestrator/rollout_step.h"

#include <algorithm>

#include "base/units.h"
#include "orchestrator/rollout_watch.h"

namespace swarm::orchestrator {

using model::FailureAction;
using model::RolloutState;
using model::TaskState;

RolloutStep::RolloutStep(const model::Service& service, Plan& plan)
    : service_(service),
      plan_(plan),
      policy_(policy_of(service)),
      slots_(slots_of(plan.view(), service.id)) {
  for (const SlotTasks& slot : slots_) {
    progress_.push_back(look_at(slot));
  }
}

std::optional<WallTime> RolloutStep::run() {
  count_slots();
  if (judge_failures()) {
    return std::nullopt;
  }
  retire_finished();
  move_slots();
  if (!plan_.is_full()) {
    complete_if_done();
  }
  return deadline_;
}

RolloutStep::Progress RolloutStep::look_at(const SlotTasks& slot) const {
  Progress progress;
  progress.slot = &slot;
  progress.is_occupied = is_occupied(plan_.view(), slot);
  for (const model::Task* task : slot.tasks) {
    if (task->revision == service_.rollout->to && is_wanted(*task)) {
      progress.target = task;
    }
  }
  progress.is_mixed =
      progress.target && std::any_of(slot.tasks.begin(), slot.tasks.end(), [&](const auto* task) {
        return task->revision != service_.rollout->to && is_live(*task);
      });
  const model::Task* newest = slot.newest();
  progress.is_finished =
      newest && newest->revision == service_.rollout->to &&
      (is_settled(plan_.view(), slot) ||
       (newest->status.state == TaskState::complete && belongs_to_rollout(service_, *newest) &&
        !is_rollout_failure(plan_.view(), service_, *newest)));
  progress.is_failed = service_.rollout->failed_slots.contains(slot.number);
  return progress;
}

bool RolloutStep::is_to_move(const Progress& progress) const {
  return progress.is_occupied && !progress.target && !progress.is_finished && !progress.is_failed;
}

bool RolloutStep::is_in_flight(const Progress& progress) {
  const model::Task* task = progress.target;
  if (!task || progress.is_failed || !belongs_to_rollout(service_, *task)) {
    return false;
  }
  if (!is_running(*task)) {
    return true;
  }
  const WallTime place_is_free = ran_since(*task) + policy_.delay;
  if (place_is_free <= plan_.now()) {
    return false;
  }
  wait_until(place_is_free);
  return true;
}

void RolloutStep::count_slots() {
  if (service_.rollout->slots_changed > 0) {
    return;
  }
  const auto count = std::count_if(progress_.begin(), progress_.end(),
                                   [&](const Progress& each) { return is_to_move(each); });
  if (count > 0) {
    rollout().slots_changed = static_cast<uint64_t>(count);
    if (rollout().message.empty()) {
      rollout().message =
          is_rollback(*service_.rollout) ? "rollback in progress" : "update in progress";
    }
  }
}

std::optional<std::string> RolloutStep::new_failure(Progress& progress) {
  if (progress.is_failed) {
    return std::nullopt;
  }
  for (const model::Task* task : progress.slot->tasks) {
    if (is_rollout_failure(plan_.view(), service_, *task)) {
      return "due to failure or early termination of task " + task->id.value();
    }
  }
  const model::Task* task = progress.target;
  if (task && (belongs_to_rollout(service_, *task) || progress.is_mixed) &&
      !is_set(task->status.running_since)) {
    if (const std::optional<WallTime> limit = progress_deadline(service_, *task)) {
      if (*limit <= plan_.now()) {
        return "because task " + task->id.value() + " did not run within " +
               format_duration(policy_.progress_deadline);
      }
      wait_until(*limit);
    }
  }
  return std::nullopt;
}

bool RolloutStep::judge_failures() {
  std::string cause;
  for (Progress& progress : progress_) {
    if (std::optional<std::string> failure = new_failure(progress)) {
      progress.is_failed = true;
      rollout().failed_slots.insert(progress.slot->number);
      cause = *std::move(failure);
    }
  }
  if (cause.empty() || policy_.failure_action == FailureAction::continue_on) {
    return false;
  }
  const double failed = static_cast<double>(rollout().failed_slots.size());
  const double changed = static_cast<double>(std::max<uint64_t>(1, rollout().slots_changed));
  if (failed / changed <= policy_.max_failure_ratio) {
    return false;
  }
  take_action(cause);
  return true;
}

void RolloutStep::take_action(const std::string& cause) {
  if (is_rollback(*service_.rollout)) {
    rollout().state = RolloutState::rollback_paused;
    rollout().message = "rollback paused " + cause;
  } else if (policy_.failure_action == FailureAction::rollback &&
             plan_.view().revision(service_.id, service_.rollout->from)) {
    roll_back(cause);
  } else {
    rollout().state = RolloutState::paused;
    rollout().message = "update paused " + cause;
  }
}

void RolloutStep::roll_back(const std::string& cause) {
  const model::RevisionNumber from = service_.rollout->from;
  model::Service& service = plan_.edit(service_);
  service.revision = from;
  service.previous_revision = service_.rollout->previous;
  model::Rollout back;
  back.state = RolloutState::rollback_started;
  back.from = service_.rollout->to;
  back.to = from;
  back.previous = service.previous_revision;
  back.started_at = plan_.now();
  back.message = "update rolled back " + cause;
  service.rollout = std::move(back);
}

void RolloutStep::move_slots() {
  std::vector<const Progress*> to_move;
  uint64_t in_flight = 0;
  for (const Progress& progress : progress_) {
    if (is_to_move(progress)) {
      to_move.push_back(&progress);
    } else if (is_in_flight(progress)) {
      ++in_flight;
    }
  }
  std::stable_partition(to_move.begin(), to_move.end(), [](const Progress* progress) {
    return std::none_of(progress->slot->tasks.begin(), progress->slot->tasks.end(),
                        [](const model::Task* task) { return is_running(*task); });
  });
  const uint64_t places = policy_.parallelism == 0 ? to_move.size() : policy_.parallelism;
  for (const Progress* progress : to_move) {
    if ((policy_.parallelism != 0 && in_flight >= places) || plan_.is_full()) {
      return;
    }
    move(*progress->slot);
    ++in_flight;
  }
}

void RolloutStep::move(const SlotTasks& slot) {
  model::Task task = make_task(service_, slot.number, service_.rollout->to, plan_.now());
  task.is_rollout = true;
  if (policy_.order == model::UpdateOrder::stop_first) {
    for (const model::Task* old : slot.tasks) {
      plan_.retire(*old);
    }
    hold_behind(plan_.view(), service_, slot, task);
    plan_.create(std::move(task));
    return;
  }
  // start-first keeps what serves; when nothing does, the newest that has got a node.
  const bool has_running = std::any_of(slot.tasks.begin(), slot.tasks.end(),
                                       [](const model::Task* old) { return is_running(*old); });
  const model::Task* kept = nullptr;
  for (const model::Task* old : slot.tasks) {
    if (!has_running && is_live(*old) && !old->node.is_empty()) {
      kept = old;
    }
  }
  for (const model::Task* old : slot.tasks) {
    if (!is_running(*old) && old != kept) {
      plan_.retire(*old);
    }
  }
  plan_.create(std::move(task));
}

void RolloutStep::retire_finished() {
  for (const Progress& progress : progress_) {
    if (progress.is_finished && !plan_.is_full()) {
      for (const model::Task* task : progress.slot->tasks) {
        if (task->revision != service_.rollout->to) {
          plan_.retire(*task);
        }
      }
    }
  }
}

void RolloutStep::complete_if_done() {
  WallTime last_ran;
  for (const Progress& progress : progress_) {
    if (progress.is_failed) {
      continue;
    }
    if (is_to_move(progress) || progress.is_mixed) {
      return;
    }
    const model::Task* task = progress.target;
    if (task && belongs_to_rollout(service_, *task)) {
      if (!is_running(*task)) {
        return;
      }
      last_ran = std::max(last_ran, ran_since(*task));
    }
  }
  if (service_.rollout->slots_changed == 0) {
    complete();  // there was nothing to move, so there is nothing to watch
    return;
  }
  WallTime last_ready = std::max(last_ran, service_.rollout->last_slot_ready_at);
  if (!is_set(last_ready)) {
    last_ready = plan_.now();
  }
  if (last_ready != service_.rollout->last_slot_ready_at) {
    rollout().last_slot_ready_at = last_ready;
  }
  const WallTime end = last_ready + policy_.monitor;
  if (plan_.now() >= end) {
    complete();
  } else {
    wait_until(end);
  }
}

void RolloutStep::complete() {
  const bool was_rollback = is_rollback(*service_.rollout);
  rollout().state = was_rollback ? RolloutState::rollback_completed : RolloutState::completed;
  rollout().message = was_rollback ? "rollback completed" : "update completed";
  rollout().completed_at = plan_.now();
}

void RolloutStep::wait_until(WallTime deadline) {
  if (!deadline_ || deadline < *deadline_) {
    deadline_ = deadline;
  }
}

}  // namespace swarm::orchestrator
