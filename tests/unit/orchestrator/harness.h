#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/placement.h"
#include "orchestrator/orchestrators.h"
#include "orchestrator/slots.h"
#include "support/decider_harness.h"

namespace swarm::orchestrator {

// All orchestrators on a store, a placement that spreads, and agents the test plays. One service
// "web" is what most tests need, so the helpers are about it.
class Swarm : public test::DeciderHarness {
 public:
  // For create(): tasks that prove themselves, so that one that runs takes over at once.
  static void serve_a_port(model::ServiceSpec& spec) {
    spec.task.ports = {{.target = 80, .published = 8080}};
  }
  // create(), and until its revision has converged.
  void create_converged(uint64_t replicas,
                        const std::function<void(model::ServiceSpec&)>& change = {}) {
    create(replicas, change);
    live_for(seconds(1));
    EXPECT_THAT(service()->converged, testing::ElementsAre(1U));
  }

  explicit Swarm(uint64_t seed = 1, int nodes = 3)
      : DeciderHarness(make_deciders(seed)), web_(test::service_of("web", 0).id) {
    for (int i = 1; i <= nodes; ++i) {
      put(test::ready_node("node" + std::to_string(i)));
    }
  }

  // ---- what a user does ----

  // Creates "web"; `change` adapts it before.
  void create(uint64_t replicas, const std::function<void(model::ServiceSpec&)>& change = {}) {
    model::Service service = test::service_of("web", replicas);
    model::Revision revision = test::revision_of(service);
    model::ServiceSpec spec{service.settings, revision.task};
    if (change) {
      change(spec);
    }
    service.settings = spec;
    revision.task = spec.task;
    state::ChangeSet changes;
    changes.put(std::move(revision));
    changes.put(std::move(service));
    commit(std::move(changes));
    run();
  }
  // A new revision and the rollout to it. Without `change` its image is another.
  void update(const std::function<void(model::TaskTemplate&)>& change = {}) {
    model::Service service = *this->service();
    const model::RevisionNumber from = service.revision;
    const model::RevisionNumber before = service.previous_revision;
    service.revision = ++service.last_revision;
    service.previous_revision = from;
    model::Revision revision = test::revision_of(service);
    const std::string image = revision.task.container.image;
    revision.task = view().template_of(*this->service());
    if (change) {
      change(revision.task);
    } else {
      revision.task.container.image = image;
    }
    service.rollout = rollout(model::RolloutState::updating, from, service.revision);
    service.rollout.edit().previous = before;
    state::ChangeSet changes;
    changes.put(std::move(revision));
    changes.put(std::move(service));
    commit(std::move(changes));
    run();
  }
  // As `service update --rollback` does.
  void roll_back() {
    model::Service service = *this->service();
    std::swap(service.revision, service.previous_revision);
    service.rollout =
        rollout(model::RolloutState::rollback_started, service.previous_revision, service.revision);
    put(std::move(service));
    run();
  }
  void change_service(const std::function<void(model::Service&)>& change) {
    model::Service service = *this->service();
    change(service);
    put(std::move(service));
    run();
  }
  void scale(uint64_t replicas) {
    change_service([&](model::Service& service) { service.settings.replicas = replicas; });
  }
  void change_node(const std::string& id, const std::function<void(model::Node&)>& change) {
    model::Node node = *view().node(model::NodeId(id));
    change(node);
    put(std::move(node));
    run();
  }
  void drain(const std::string& id) {
    change_node(id, [](model::Node& node) { node.spec.availability = model::Availability::drain; });
  }
  void lose_node(const std::string& id) {
    change_node(id, [&](model::Node& node) {
      node.status.state = model::NodeState::down;
      node.status.at = now();
    });
  }
  void remove_node(const std::string& id) {
    state::ChangeSet changes;
    changes.remove(model::NodeId(id));
    commit(std::move(changes));
    run();
  }

  // ---- what agents and the scheduler do ----

  // Every task that waits for a node gets the one with the fewest tasks.
  void place_all() {
    for (const auto& [id, task] : state::TaskTable(view().unplaced_tasks())) {
      place(*task);
    }
    run();
  }
  void place(const model::Task& task) {
    if (const model::NodeId node = best_node(task); !node.is_empty()) {
      model::Task placed = task;
      placed.node = node;
      placed.status.state = model::TaskState::assigned;
      put(std::move(placed));
    }
  }
  // Every agent does at once what it was told. Tasks of a bad revision fail before they run.
  void agents_act() {
    place_all();
    for (const auto& [id, old] : state::TaskTable(view().tasks_of(web_))) {
      if (const state::TaskPtr task = view().task(id)) {
        act(*task);
      }
    }
    run();
  }
  // One thing of one agent or of the scheduler; the deciders do not see it before they are asked.
  void agents_act_once() {
    const auto unplaced = view().unplaced_tasks();
    if (!unplaced.empty()) {
      place(*unplaced.begin()->second);
      return;
    }
    runs_after_report_ = false;
    const model::Position before = view().position();
    for (const auto& [id, task] : state::TaskTable(view().tasks_of(web_))) {
      act(*task);
      if (view().position() != before) {
        break;
      }
    }
    runs_after_report_ = true;
  }
  // Until there is nothing left to do without time passing.
  void settle() {
    for (int i = 0; i < 500; ++i) {
      const model::Position before = view().position();
      agents_act();
      if (view().position() == before || testing::Test::HasFatalFailure()) {
        return;
      }
    }
    FAIL() << "the agents do not come to rest";
  }
  // Time passes and agents act, in steps, for `duration`.
  void live_for(Duration duration, Duration step = seconds(1)) {
    settle();
    for (Duration gone{}; gone < duration; gone += step) {
      advance(step);
      settle();
    }
  }
  void report(const model::TaskId& id, model::TaskState state,
              std::optional<int32_t> exit_code = {}) {
    model::Task task = *view().task(id);
    task.status.state = state;
    task.status.at = now();
    task.status.exit_code = exit_code;
    if (state == model::TaskState::running && !is_set(task.status.running_since)) {
      task.status.running_since = now();
    }
    put(std::move(task));
    if (runs_after_report_) {
      run();
    }
  }
  void fail(const model::TaskId& id) { report(id, model::TaskState::failed, 1); }

  // Agents leave tasks of these revisions unable to start.
  std::set<model::RevisionNumber> bad_revisions;
  // Agents neither start nor stop anything of these by themselves.
  bool starts = true;
  bool stops = true;
  // What listens in the containers listens at the target ports that an update adds, too.
  bool serves_new_ports = true;

  // ---- what there is ----

  const model::ServiceId& web() const { return web_; }
  state::ServicePtr service() const { return view().service(web_); }
  const model::Rollout& rollout() const { return *service()->rollout; }
  std::vector<model::Task> tasks() const {
    std::vector<model::Task> all;
    for (const SlotTasks& slot : slots_of(view(), web_)) {
      for (const model::Task* task : slot.tasks) {
        all.push_back(*task);
      }
    }
    return all;
  }
  std::vector<model::Task> tasks_in(model::Slot slot) const {
    std::vector<model::Task> found;
    for (const model::Task& task : tasks()) {
      if (task.slot == slot) {
        found.push_back(task);
      }
    }
    return found;
  }
  // The wanted tasks of a slot, oldest first.
  std::vector<model::Task> wanted(model::Slot slot) const {
    std::vector<model::Task> found;
    for (const model::Task& task : tasks_in(slot)) {
      if (is_wanted(task)) {
        found.push_back(task);
      }
    }
    return found;
  }
  // The one wanted task of a slot.
  model::Task only(model::Slot slot) const {
    const std::vector<model::Task> found = wanted(slot);
    EXPECT_EQ(found.size(), 1U) << "wanted tasks in slot " << slot;
    return found.empty() ? model::Task{} : found.back();
  }
  size_t running() const { return running_at(0); }
  // 0: at any revision.
  size_t running_at(model::RevisionNumber revision) const {
    size_t count = 0;
    for (const model::Task& task : tasks()) {
      count += task.status.state == model::TaskState::running && is_wanted(task) &&
                       (revision == 0 || task.revision == revision)
                   ? 1
                   : 0;
    }
    return count;
  }
  std::set<model::Slot> wanted_slots() const {
    std::set<model::Slot> slots;
    for (const model::Task& task : tasks()) {
      if (is_wanted(task)) {
        slots.insert(task.slot);
      }
    }
    return slots;
  }

  void new_leader(uint64_t seed) { replace_deciders(make_deciders(seed)); }

  // What the agent of the task would do next, if anything.
  void act(const model::Task& task) {
    const state::NodePtr node = view().node(task.node);
    if (!node || node->status.state == model::NodeState::down ||
        model::is_terminal(task.status.state)) {
      return;
    }
    if (!is_wanted(task)) {
      if (stops) report(task.id, model::TaskState::shutdown);
    } else if (starts && bad_revisions.contains(task.revision)) {
      fail(task.id);
    } else if (starts && task.desired == model::TaskState::ready &&
               task.status.state < model::TaskState::ready) {
      report(task.id, model::TaskState::ready);
    } else if (starts && task.desired == model::TaskState::running &&
               task.status.state < model::TaskState::running) {
      report(task.id, model::TaskState::running);
    } else if (serves_new_ports && task.status.wait == model::WaitReason::health) {
      set_wait(task.id, model::WaitReason::none, "started");
    }
  }
  void set_wait(const model::TaskId& id, model::WaitReason wait, const std::string& message) {
    model::Task task = *view().task(id);
    task.status.wait = wait;
    task.status.message = message;
    put(std::move(task));
    if (runs_after_report_) {
      run();
    }
  }

 private:
  static Deciders make_deciders(uint64_t seed) { return make_all(Random(seed)); }

  model::Rollout rollout(model::RolloutState state, model::RevisionNumber from,
                         model::RevisionNumber to) const {
    model::Rollout rollout;
    rollout.state = state;
    rollout.from = from;
    rollout.to = to;
    rollout.started_at = now();
    return rollout;
  }

  model::NodeId best_node(const model::Task& task) const {
    model::NodeId best;
    size_t fewest = SIZE_MAX;
    for (const auto& [id, node] : view().nodes()) {
      if (node->status.state != model::NodeState::ready ||
          node->spec.availability != model::Availability::active ||
          model::find_condition(node->status, model::ConditionKind::engine) != nullptr ||
          !fits(task, *node)) {
        continue;
      }
      size_t count = 0;
      for (const auto& [other_id, other] : view().tasks_on(id)) {
        count += is_live(*other) ? 1 : 0;
      }
      if (count < fewest) {
        fewest = count;
        best = id;
      }
    }
    return best;
  }

  bool fits(const model::Task& task, const model::Node& node) const {
    return model::meets_constraints(*view().template_of(task).placement, node);
  }

  model::ServiceId web_;
  bool runs_after_report_ = true;
};

}  // namespace swarm::orchestrator
