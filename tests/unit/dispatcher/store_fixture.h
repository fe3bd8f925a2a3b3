#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "state/output_gate.h"
#include "state/store.h"
#include "support/simulated_loop.h"

namespace swarm::dispatcher {

using model::NodeId;
using model::NodeState;
using model::ServiceId;
using model::TaskId;
using model::TaskState;

// A leading store with the service "web" at revision 1, published on 8080, on virtual time. What is
// committed to it is confirmed at once, unless the test holds the quorum back.
struct StoreTest : testing::Test, state::Proposer {
  test::World world;
  test::SimulatedLoop loop{world};
  state::Store store;
  state::OutputGate gate;
  bool has_quorum = true;
  int commits = 0;

  void SetUp() override {
    gate.open(0);
    store.lead(*this);
    model::Cluster cluster;
    cluster.id = model::SwarmId("swarm");
    put(cluster);
    model::Service service;
    service.id = ServiceId("web");
    service.settings.name = "web";
    service.revision = 1;
    model::Revision revision;
    revision.service = service.id;
    revision.number = 1;
    revision.task.container.image = "web:1.0";
    revision.task.ports = {{.target = 80, .published = 8080}};
    state::ChangeSet changes;
    changes.put(service);
    changes.put(revision);
    commit(std::move(changes));
  }

  void propose(model::Position position, std::string) override {
    ++commits;
    if (has_quorum) {
      confirm(position);
    }
  }
  void confirm(model::Position position) {
    store.confirm(position);
    gate.advance(position);
  }
  // Without a quorum the store takes changes until its bound: then not even the smallest.
  void fill_backlog() {
    has_quorum = false;
    for (size_t size = state::kMaxEntryBytes / 2; size > 0; size /= 2) {
      Status status;
      while (status.ok()) {
        model::Node node;
        node.id = NodeId("filler" + std::to_string(store.head()));
        node.spec.labels["filler"] = std::string(size, 'x');
        state::ChangeSet changes;
        changes.put(node);
        status = store.commit(std::move(changes), loop.wall_now()).status();
      }
    }
  }
  void restore_quorum() {
    has_quorum = true;
    confirm(store.head());
  }

  void commit(state::ChangeSet changes) {
    const auto position = store.commit(std::move(changes), loop.wall_now());
    ASSERT_TRUE(position.ok()) << position.status();
  }
  template <class T>
  void put(T object) {
    state::ChangeSet changes;
    changes.put(std::move(object));
    commit(std::move(changes));
  }
  template <class K>
  void remove(K key) {
    state::ChangeSet changes;
    changes.remove(std::move(key));
    commit(std::move(changes));
  }

  void add_node(const std::string& id, NodeState state = NodeState::unknown) {
    model::Node node;
    node.id = NodeId(id);
    node.status.state = state;
    node.description.mesh_address = id + ":7946";
    put(node);
  }
  void add_task(const std::string& id, const std::string& node,
                TaskState observed = TaskState::assigned, TaskState desired = TaskState::running) {
    model::Task task;
    task.id = TaskId(id);
    task.service = ServiceId("web");
    task.revision = 1;
    task.slot = 1;
    task.node = NodeId(node);
    task.desired = desired;
    task.status.state = observed;
    put(task);
  }
  void change_task(const std::string& id, const std::function<void(model::Task&)>& change) {
    model::Task task = *store.view().task(TaskId(id));
    change(task);
    put(task);
  }
  void change_node(const std::string& id, const std::function<void(model::Node&)>& change) {
    model::Node node = *store.view().node(NodeId(id));
    change(node);
    put(node);
  }
  void change_service(const std::function<void(model::Service&)>& change) {
    model::Service service = *store.view().service(ServiceId("web"));
    change(service);
    put(service);
  }
  void set_desired(const std::string& id, TaskState desired) {
    change_task(id, [desired](model::Task& task) { task.desired = desired; });
  }
  void set_observed(const std::string& id, TaskState observed) {
    change_task(id, [observed](model::Task& task) { task.status.state = observed; });
  }
  TaskState observed(const std::string& id) const {
    return store.view().task(TaskId(id))->status.state;
  }
  NodeState node_state(const std::string& id) const {
    return store.view().node(NodeId(id))->status.state;
  }
};

inline model::TaskReport report(const std::string& task, TaskState state,
                                const std::string& message = "") {
  model::TaskReport report;
  report.task = TaskId(task);
  report.status.state = state;
  report.status.message = message;
  return report;
}

}  // namespace swarm::dispatcher
