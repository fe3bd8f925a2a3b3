#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"
#include "mesh/routing.h"

namespace swarm::mesh {

class TaskLeases;

// One connection's hold on a task: counted as long as it exists, told when the task drains.
class TaskLease {
 public:
  TaskLease(std::shared_ptr<TaskLeases> leases, model::TaskId task, Callback on_drain);
  ~TaskLease();
  TaskLease(const TaskLease&) = delete;
  TaskLease& operator=(const TaskLease&) = delete;

 private:
  friend class TaskLeases;

  const std::shared_ptr<TaskLeases> leases_;
  const model::TaskId task_;
  // Shared, because the callback may end the lease it belongs to.
  const std::shared_ptr<Callback> on_drain_;
  uint64_t number_ = 0;
};

// The leases of all tasks. On the loop of the mesh.
class TaskLeases {
 public:
  // `on_closed` runs after each lease of a task that has ended.
  TaskLeases(Routing& routing, absl::AnyInvocable<void(const model::TaskId&)> on_closed);

  // The task is being stopped: tells everyone who holds it.
  void drain(const model::TaskId& task);
  // The owner is about to go; leases may outlive it.
  void detach() { routing_ = nullptr; }

 private:
  friend class TaskLease;

  Routing* routing_;
  absl::AnyInvocable<void(const model::TaskId&)> on_closed_;
  std::map<model::TaskId, std::set<std::shared_ptr<Callback>>> held_;
};

}  // namespace swarm::mesh
