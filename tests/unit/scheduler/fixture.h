#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "scheduler/scheduler.h"
#include "support/decider_harness.h"

namespace swarm::scheduler {

// The scheduler on a store, and what a test puts there.
class Cluster final : public test::DeciderHarness {
 public:
  Cluster() : DeciderHarness(make_deciders()) {}

  void add_nodes(int count) {
    state::ChangeSet changes;
    for (int i = 1; i <= count; ++i) {
      changes.put(test::ready_node("node" + std::to_string(i)));
    }
    commit(std::move(changes));
    run();
  }
  void add(model::Node node) {
    put(std::move(node));
    run();
  }
  using TemplateEdit = std::function<void(model::TaskTemplate&)>;
  void add(const model::Service& service, const TemplateEdit& edit = {}) {
    model::Revision revision = test::revision_of(service);
    if (edit) {
      edit(revision.task);
    }
    state::ChangeSet changes;
    changes.put(std::move(revision));
    changes.put(service);
    commit(std::move(changes));
    run();
  }
  // Slots `first` and up, named "<service>.<slot>".
  void add_pending(const model::Service& service, int count, model::Slot first = 1) {
    state::ChangeSet changes;
    for (int i = 0; i < count; ++i) {
      const model::Slot slot = first + static_cast<model::Slot>(i);
      changes.put(test::pending_task(service, id_of(service, slot), slot));
    }
    commit(std::move(changes));
    run();
  }
  void add(model::Task task) {
    put(std::move(task));
    run();
  }
  static std::string id_of(const model::Service& service, model::Slot slot) {
    std::string number = std::to_string(slot);
    number.insert(0, 6 - number.size(), '0');
    return service.settings.name + "." + number;
  }

  model::Task task(const std::string& id) const { return *view().task(model::TaskId(id)); }
  void change_task(const std::string& id, const std::function<void(model::Task&)>& change) {
    model::Task changed = task(id);
    change(changed);
    put(std::move(changed));
    run();
  }
  void change_node(const std::string& id, const std::function<void(model::Node&)>& change) {
    model::Node changed = *view().node(model::NodeId(id));
    change(changed);
    put(std::move(changed));
    run();
  }
  void change_service(const model::Service& service,
                      const std::function<void(model::Service&)>& change) {
    model::Service changed = *view().service(service.id);
    change(changed);
    put(std::move(changed));
    run();
  }

  // Tasks on each node that have not ended.
  std::map<std::string, int> counts() const {
    std::map<std::string, int> found;
    for (const auto& [id, task] : view().tasks()) {
      if (!task->node.is_empty() && !model::is_terminal(task->status.state)) {
        ++found[task->node.value()];
      }
    }
    return found;
  }
  size_t unplaced() const { return view().unplaced_tasks().size(); }

  void new_leader() { replace_deciders(make_deciders()); }

 private:
  static Deciders make_deciders() {
    Deciders deciders;
    deciders.push_back(make_scheduler());
    return deciders;
  }
};

}  // namespace swarm::scheduler
