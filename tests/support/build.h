#pragma once

#include <string>
#include <utility>

#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

// Objects as tests want them: valid, and named after what is special about them.
namespace swarm::test {

inline constexpr int64_t kCpu = 1'000'000'000;
inline constexpr int64_t kMiB = 1 << 20;

inline WallTime test_epoch() {
  return WallTime(seconds(1'700'000'000));
}

// Ready, active, 4 CPUs, 1,000 MiB.
inline model::Node ready_node(const std::string& id) {
  model::Node node;
  node.id = model::NodeId(id);
  node.status.state = model::NodeState::ready;
  node.description.hostname = "host-" + id;
  node.description.os = "linux";
  node.description.architecture = "x86_64";
  node.description.resources = {4 * kCpu, 1000 * kMiB};
  return node;
}

inline model::Node labelled_node(const std::string& id, const std::string& label,
                                 const std::string& value) {
  model::Node node = ready_node(id);
  node.spec.labels[label] = value;
  return node;
}

// At revision 1.
inline model::Service service_of(const std::string& name, uint64_t replicas) {
  model::Service service;
  service.id = model::ServiceId(name + "-id");
  service.settings.name = name;
  service.settings.replicas = replicas;
  service.revision = 1;
  service.last_revision = 1;
  return service;
}

// The revision a service is at, of image "web:1" (the first of a service "web").
inline model::Revision revision_of(const model::Service& service) {
  model::Revision revision;
  revision.service = service.id;
  revision.number = service.revision;
  revision.task.container.image = service.settings.name + ":" + std::to_string(service.revision);
  return revision;
}

inline model::Task pending_task(const model::Service& service, const std::string& id,
                                model::Slot slot) {
  model::Task task;
  task.id = model::TaskId(id);
  task.service = service.id;
  task.slot = slot;
  task.revision = service.revision;
  task.status.state = model::TaskState::pending;
  return task;
}

inline model::Task running_task(const model::Service& service, const std::string& id,
                                model::Slot slot, const std::string& node) {
  model::Task task = pending_task(service, id, slot);
  task.node = model::NodeId(node);
  task.status.state = model::TaskState::running;
  task.status.running_since = test_epoch();
  return task;
}

}  // namespace swarm::test
