#include "mesh/proxy/task_leases.h"

#include <utility>
#include <vector>

namespace swarm::mesh {

TaskLease::TaskLease(std::shared_ptr<TaskLeases> leases, model::TaskId task, Callback on_drain)
    : leases_(std::move(leases)),
      task_(std::move(task)),
      on_drain_(std::make_shared<Callback>(std::move(on_drain))) {
  leases_->held_[task_].insert(on_drain_);
  if (leases_->routing_ != nullptr) number_ = leases_->routing_->connection_opened(task_);
}

TaskLease::~TaskLease() {
  const auto held = leases_->held_.find(task_);
  held->second.erase(on_drain_);
  if (held->second.empty()) leases_->held_.erase(held);
  if (leases_->routing_ == nullptr) return;
  leases_->routing_->connection_closed(task_, number_);
  leases_->on_closed_(task_);
}

TaskLeases::TaskLeases(Routing& routing, absl::AnyInvocable<void(const model::TaskId&)> on_closed)
    : routing_(&routing), on_closed_(std::move(on_closed)) {}

void TaskLeases::drain(const model::TaskId& task) {
  const auto held = held_.find(task);
  if (held == held_.end()) return;
  const std::vector<std::shared_ptr<Callback>> all(held->second.begin(), held->second.end());
  for (const std::shared_ptr<Callback>& on_drain : all) {
    // Ended by one of the callbacks before it.
    const auto still_held = held_.find(task);
    if (still_held == held_.end()) return;
    if (still_held->second.contains(on_drain)) (*on_drain)();
  }
}

}  // namespace swarm::mesh
