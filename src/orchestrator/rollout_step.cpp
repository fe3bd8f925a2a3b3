#include "orchestrator/rollout_step.h"

#include <algorithm>

#include "base/units.h"
#include "orchestrator/failure_text.h"
#include "orchestrator/restamp.h"
#include "orchestrator/rollout_watch.h"

namespace swarm::orchestrator {

using model::FailureAction;
using model::RolloutState;
using model::TaskState;

RolloutStep::RolloutStep(const model::Service& service, Plan& plan)
    : service_(service),
      plan_(plan),
      policy_(policy_of(service)),
      has_converged_(has_converged_container(plan.view(), service)),
      slots_(slots_of(plan.view(), service.id)) {
  for (const SlotTasks& slot : slots_) {
    progress_.push_back(look_at(slot));
  }
}

std::optional<WallTime> RolloutStep::run() {
  if (restamp_what_fits(service_, slots_, plan_)) {
    return std::nullopt;  // goes on from what that makes of the tasks
  }
  count_slots();
  if (judge_failures()) {
    return std::nullopt;
  }
  pass_trial();
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
  progress.is_unproven =
      progress.target && is_unproven(service_, *progress.target, has_converged_, plan_.now());
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
  const bool keeps_failing =
      progress.is_unproven && progress.target->restarts > 0 && !is_running(*progress.target);
  const bool has_target = progress.target && !keeps_failing;
  return progress.is_occupied && !has_target && !progress.is_finished && !progress.is_failed;
}

std::optional<WallTime> RolloutStep::holds_place_until(const Progress& progress) const {
  const model::Task& task = *progress.target;
  if (progress.is_unproven) {
    return ran_since(task) + policy_.monitor;
  }
  return belongs_to_rollout(service_, task) ? std::optional(ran_since(task) + holds_place_for())
                                            : std::nullopt;
}

bool RolloutStep::is_in_flight(const Progress& progress) {
  const model::Task* task = progress.target;
  if (!task || progress.is_failed) {
    return false;
  }
  if (!is_running(*task)) {
    return belongs_to_rollout(service_, *task);
  }
  const std::optional<WallTime> place_is_free = holds_place_until(progress);
  if (!place_is_free || *place_is_free <= plan_.now()) {
    return false;
  }
  wait_until(*place_is_free);
  return true;
}

Duration RolloutStep::holds_place_for() const {
  return is_trial_open(service_) ? std::max(policy_.delay, policy_.monitor) : policy_.delay;
}

void RolloutStep::pass_trial() {
  if (!is_trial_open(service_)) {
    return;
  }
  const uint64_t slots = service_.rollout->slots_changed;
  const uint64_t places = policy_.parallelism == 0 ? slots : std::min(policy_.parallelism, slots);
  uint64_t failed = 0;  // tolerated
  uint64_t passed = 0;
  for (const Progress& progress : progress_) {
    const model::Task* task = progress.target;
    if (progress.is_failed) {
      ++failed;
    } else if (task && belongs_to_rollout(service_, *task) && is_running(*task) &&
               ran_since(*task) + policy_.monitor <= plan_.now()) {
      ++passed;
    }
  }
  if (passed > 0 && passed + failed >= places) {
    rollout().trial_passed_at = plan_.now();
  }
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

std::optional<RolloutStep::Failure> RolloutStep::new_failure(const Progress& progress) {
  if (progress.is_failed) {
    return std::nullopt;
  }
  for (const model::Task* task : progress.slot->tasks) {
    if (is_rollout_failure(plan_.view(), service_, *task)) {
      return Failure{"due to failure or early termination of task " + task->id.value(),
                     describe_failure(plan_.view(), service_, *task)};
    }
  }
  return missed_deadline(progress);
}

std::optional<RolloutStep::Failure> RolloutStep::missed_deadline(const Progress& progress) {
  const model::Task* task = progress.target;
  if (!task || (is_set(task->status.running_since) && !awaits_ports(*task))) {
    return std::nullopt;
  }
  const std::optional<WallTime> limit = progress_deadline(service_, *task);
  if (!limit) {
    return std::nullopt;
  }
  if (*limit > plan_.now()) {
    wait_until(*limit);
    return std::nullopt;
  }
  return Failure{"because task " + task->id.value() + " did not run within " +
                     format_duration(policy_.progress_deadline),
                 describe_wait(plan_.view(), service_, *task)};
}

bool RolloutStep::judge_failures() {
  std::optional<Failure> last;
  for (Progress& progress : progress_) {
    if (std::optional<Failure> failure = new_failure(progress)) {
      progress.is_failed = true;
      rollout().failed_slots.insert(progress.slot->number);
      last = *std::move(failure);
    }
  }
  if (!last) {
    return false;
  }
  rollout().cause = last->cause;
  if (policy_.failure_action == FailureAction::continue_on) {
    return false;
  }
  const double failed = static_cast<double>(rollout().failed_slots.size());
  const double changed = static_cast<double>(std::max<uint64_t>(1, rollout().slots_changed));
  if (failed / changed <= policy_.max_failure_ratio) {
    return false;
  }
  take_action(*last);
  return true;
}

void RolloutStep::take_action(const Failure& failure) {
  if (is_rollback(*service_.rollout)) {
    pause(failure, "rollback paused ");
    return;
  }
  if (policy_.failure_action != FailureAction::rollback) {
    pause(failure, "update paused ");
    return;
  }
  const model::RevisionNumber target =
      state::last_converged(plan_.view(), service_, service_.rollout->to);
  if (target == 0) {
    pause(failure, "update paused, since no other revision has converged to roll back to, ");
  } else {
    roll_back(failure, target);
  }
}

void RolloutStep::pause(const Failure& failure, const std::string& what) {
  rollout().state =
      is_rollback(*service_.rollout) ? RolloutState::rollback_paused : RolloutState::paused;
  rollout().message = what + failure.summary + ": " + failure.cause;
}

void RolloutStep::roll_back(const Failure& failure, model::RevisionNumber target) {
  model::Service& service = plan_.edit(service_);
  service.revision = target;
  service.previous_revision = service_.rollout->previous;
  model::Rollout back;
  back.state = RolloutState::rollback_started;
  back.is_automatic = true;
  back.from = service_.rollout->to;
  back.to = target;
  back.previous = service.previous_revision;
  back.started_at = plan_.now();
  back.cause = failure.cause;
  back.message = "update rolled back " + failure.summary + ": " + failure.cause;
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
  if (order_of(plan_.view(), service_, task.revision) == model::UpdateOrder::stop_first) {
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
    if (!has_running && is_live(*old) && !old->node.is_empty() &&
        old->revision != service_.rollout->to) {
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
  bool do_all_run = true;
  for (const Progress& progress : progress_) {
    const model::Task* task = progress.target;
    const bool runs = task && is_working(*task);
    if (progress.is_failed) {
      if (waits_for_failed(progress)) {
        return;
      }
      do_all_run = do_all_run && runs;
      continue;
    }
    if (is_to_move(progress) || progress.is_mixed || progress.is_unproven ||
        (task && !runs && !progress.is_finished)) {
      return;
    }
    if (runs && belongs_to_rollout(service_, *task)) {
      last_ran = std::max(last_ran, ran_since(*task));
    }
  }
  if (service_.rollout->slots_changed == 0) {
    complete(do_all_run);  // there was nothing to move, so there is nothing to watch
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
    complete(do_all_run);
  } else {
    wait_until(end);
  }
}

bool RolloutStep::waits_for_failed(const Progress& progress) {
  if (!is_rollback(*service_.rollout) || progress.is_finished || !progress.is_occupied ||
      (progress.target && is_working(*progress.target))) {
    return false;
  }
  if (policy_.progress_deadline > Duration{0}) {
    const WallTime limit = service_.rollout->started_at + policy_.progress_deadline;
    if (limit <= plan_.now()) {
      pause({"because slot " + std::to_string(progress.slot->number) + " did not run within " +
                 format_duration(policy_.progress_deadline),
             service_.rollout->cause},
            "rollback paused ");
    } else {
      wait_until(limit);
    }
  }
  return true;
}

void RolloutStep::complete(bool do_all_run) {
  const bool was_rollback = is_rollback(*service_.rollout);
  const model::Rollout& stored = *service_.rollout;
  std::string message = was_rollback ? "rollback completed" : "update completed";
  if (stored.is_automatic) {
    message += "; revision " + std::to_string(stored.from) + " failed: " + stored.cause;
  } else if (!rollout().failed_slots.empty()) {
    message += ", failures tolerated: " + rollout().cause;
  }
  rollout().state = was_rollback ? RolloutState::rollback_completed : RolloutState::completed;
  rollout().message = std::move(message);
  rollout().completed_at = plan_.now();
  if (do_all_run) {
    note_converged(plan_.edit(service_), stored.to);
  }
}

void RolloutStep::wait_until(WallTime deadline) {
  if (!deadline_ || deadline < *deadline_) {
    deadline_ = deadline;
  }
}

}  // namespace swarm::orchestrator
