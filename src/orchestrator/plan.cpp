#include "orchestrator/plan.h"

namespace swarm::orchestrator {
namespace {

// A slot and the service it belongs to are changed together: there must be room for all of it.
constexpr size_t kReserve = 16;

}  // namespace

bool Plan::is_full() const {
  return size() + kReserve > state::kMaxDecisions;
}

model::Task& Plan::edit(const model::Task& task) {
  return tasks_.try_emplace(task.id, task).first->second;
}

model::Service& Plan::edit(const model::Service& service) {
  return services_.try_emplace(service.id, service).first->second;
}

void Plan::retire(const model::Task& task) {
  if (task.desired < model::TaskState::shutdown) {
    edit(task).desired = model::TaskState::shutdown;
  }
}

void Plan::discard(const model::Task& task) {
  if (task.desired < model::TaskState::remove) {
    edit(task).desired = model::TaskState::remove;
  }
}

model::Task& Plan::create(model::Task task) {
  task.id = model::TaskId(random_id(random_));
  const model::TaskId id = task.id;
  return tasks_.insert_or_assign(id, std::move(task)).first->second;
}

state::ChangeSet Plan::take() {
  state::ChangeSet changes;
  for (auto& [id, service] : services_) {
    if (*view_.service(id) != service) {
      changes.put(std::move(service));
    }
  }
  for (auto& [id, task] : tasks_) {
    if (const state::TaskPtr stored = view_.task(id); !stored || *stored != task) {
      changes.put(std::move(task));
    }
  }
  changes.removals = std::move(removals_);
  services_.clear();
  tasks_.clear();
  removals_.clear();
  return changes;
}

}  // namespace swarm::orchestrator
