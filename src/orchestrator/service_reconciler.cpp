#include "orchestrator/service_reconciler.h"

namespace swarm::orchestrator {

void ServiceReconciler::load(const state::View& view, WallTime) {
  dirty_.clear();
  deadline_of_.clear();
  deadlines_.clear();
  for (const auto& [id, service] : view.services()) {
    dirty_.insert(id);
  }
  for (const auto& [id, task] : view.tasks()) {
    dirty_.insert(task->service);
  }
}

void ServiceReconciler::observe(const state::View& view,
                                const std::vector<state::Change>& changes) {
  for (const state::Change& change : changes) {
    note(view, change);
  }
}

void ServiceReconciler::note(const state::View& view, const state::Change& change) {
  if (const auto* task = std::get_if<state::TaskPtr>(&change.after)) {
    const state::TaskPtr& before = std::get<state::TaskPtr>(change.before);
    if (concerns(view, before, *task)) {
      dirty_.insert(*task ? (*task)->service : before->service);
    }
  } else if (const auto* service = std::get_if<state::ServicePtr>(&change.after)) {
    const state::ServicePtr& before = std::get<state::ServicePtr>(change.before);
    if (concerns(before, *service)) {
      dirty_.insert(*service ? (*service)->id : before->id);
    }
  } else if (const auto* node = std::get_if<state::NodePtr>(&change.after)) {
    const state::NodePtr& before = std::get<state::NodePtr>(change.before);
    if (concerns(before, *node)) {
      for (const auto& [id, task_on_node] : view.tasks_on(*node ? (*node)->id : before->id)) {
        dirty_.insert(task_on_node->service);
      }
    }
  } else if (const auto* cluster = std::get_if<state::ClusterPtr>(&change.after)) {
    if (concerns_all(std::get<state::ClusterPtr>(change.before), *cluster)) {
      for (const auto& [id, any] : view.services()) {
        dirty_.insert(id);
      }
    }
  }
}

state::ChangeSet ServiceReconciler::decide(const state::View& view, WallTime now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const model::ServiceId due = deadlines_.begin()->second;
    dirty_.insert(due);
    set_deadline(due, std::nullopt);
  }
  Plan plan(view, now, random_);
  while (!dirty_.empty() && !plan.is_full()) {
    const model::ServiceId id = *dirty_.begin();
    dirty_.erase(dirty_.begin());
    std::optional<WallTime> deadline;
    if (const state::ServicePtr service = view.service(id)) {
      deadline = plan_service(*service, plan);
    } else {
      plan_without_service(id, plan);
    }
    set_deadline(id, deadline);
    if (plan.is_full()) {
      dirty_.insert(id);
    }
  }
  return plan.take();
}

std::optional<WallTime> ServiceReconciler::next_deadline(const state::View&) const {
  if (deadlines_.empty()) {
    return std::nullopt;
  }
  return deadlines_.begin()->first;
}

void ServiceReconciler::set_deadline(const model::ServiceId& id, std::optional<WallTime> deadline) {
  if (const auto found = deadline_of_.find(id); found != deadline_of_.end()) {
    deadlines_.erase({found->second, id});
    deadline_of_.erase(found);
  }
  if (deadline) {
    deadline_of_.emplace(id, *deadline);
    deadlines_.emplace(*deadline, id);
  }
}

bool ServiceReconciler::concerns(const state::ServicePtr&, const state::ServicePtr&) const {
  return true;
}

bool ServiceReconciler::concerns(const state::NodePtr&, const state::NodePtr&) const {
  return false;
}

bool ServiceReconciler::concerns_all(const state::ClusterPtr&, const state::ClusterPtr&) const {
  return false;
}

void ServiceReconciler::plan_without_service(const model::ServiceId&, Plan&) {}

}  // namespace swarm::orchestrator
