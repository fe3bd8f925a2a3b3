#include "scheduler/scheduler.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/check.h"
#include "scheduler/placement.h"

namespace swarm::scheduler {
namespace {

using state::RevisionKey;

bool is_unplaced(const model::Task& task) {
  return task.node.is_empty() && task.status.state == model::TaskState::pending &&
         task.desired <= model::TaskState::running;
}

// The change gives back something another task may wait for.
bool releases(const state::TaskPtr& before, const state::TaskPtr& after) {
  if (!before || before->node.is_empty() || model::is_terminal(before->status.state)) {
    return false;
  }
  return !after || model::is_terminal(after->status.state) ||
         (before->desired <= model::TaskState::running &&
          after->desired > model::TaskState::running);
}

bool has_same_conditions(const model::NodeStatus& a, const model::NodeStatus& b) {
  return std::equal(a.conditions.begin(), a.conditions.end(), b.conditions.begin(),
                    b.conditions.end(),
                    [](const auto& one, const auto& other) { return one.kind == other.kind; });
}

// Heartbeats and the like must not start rounds over all groups. What a filter reads must.
bool matters(const state::NodePtr& before, const state::NodePtr& after) {
  return !before || !after || before->spec != after->spec || before->role != after->role ||
         before->description != after->description || before->status.state != after->status.state ||
         before->status.address != after->status.address ||
         !has_same_conditions(before->status, after->status);
}

class Scheduler final : public state::Reconciler {
 public:
  const char* name() const override { return "scheduler"; }

  void load(const state::View& view, WallTime) override {
    ledger_.load(view);
    groups_.clear();
    dirty_.clear();
    retry_at_.clear();
    for (const auto& [id, task] : view.unplaced_tasks()) {
      enqueue(*task);
    }
  }

  void observe(const state::View& view, const std::vector<state::Change>& changes) override {
    for (const state::Change& change : changes) {
      if (std::holds_alternative<state::TaskPtr>(change.after)) {
        task_changed(view, std::get<state::TaskPtr>(change.before),
                     std::get<state::TaskPtr>(change.after));
      } else if (std::holds_alternative<state::NodePtr>(change.after)) {
        node_changed(std::get<state::NodePtr>(change.before),
                     std::get<state::NodePtr>(change.after));
      } else if (std::holds_alternative<state::ServicePtr>(change.after)) {
        service_changed(std::get<state::ServicePtr>(change.before),
                        std::get<state::ServicePtr>(change.after));
      } else if (const auto* revision = std::get_if<state::RevisionPtr>(&change.before);
                 revision && *revision) {
        ledger_.forget_revision({(*revision)->service, (*revision)->number});
      }
    }
  }

  state::ChangeSet decide(const state::View& view, WallTime now) override {
    for (const auto& [key, at] : retry_at_) {
      if (at <= now) {
        dirty_.insert(key);
      }
    }
    state::ChangeSet changes;
    size_t left = state::kMaxDecisions;
    while (!dirty_.empty() && left > 0) {
      const RevisionKey key = *dirty_.begin();
      dirty_.erase(dirty_.begin());
      retry_at_.erase(key);
      const auto group = groups_.find(key);
      if (group == groups_.end()) {
        continue;
      }
      const std::shared_ptr<const Needs> needs = ledger_.needs(view, key);
      SWARM_CHECK(needs, "the revision of a task that waits is stored");
      RoundResult round = place_group(view, ledger_, *needs, group->second, left, now);
      left -= round.decided.size();
      for (model::Task& task : round.decided) {
        changes.put(std::move(task));
      }
      if (!round.is_complete) {
        dirty_.insert(key);
      } else if (round.retry_at) {
        retry_at_[key] = *round.retry_at;
      }
    }
    return changes;
  }

  bool has_more() const override { return !dirty_.empty(); }

  std::optional<WallTime> next_deadline(const state::View&) const override {
    std::optional<WallTime> earliest;
    for (const auto& [key, at] : retry_at_) {
      earliest = std::min(earliest.value_or(at), at);
    }
    return earliest;
  }

 private:
  void enqueue(const model::Task& task) {
    const RevisionKey key{task.service, task.revision};
    groups_[key].emplace(task.slot, task.id);
    dirty_.insert(key);
  }

  void dequeue(const model::Task& task) {
    const auto found = groups_.find({task.service, task.revision});
    if (found != groups_.end()) {
      found->second.erase({task.slot, task.id});
      if (found->second.empty()) {
        groups_.erase(found);
      }
    }
  }

  void task_changed(const state::View& view, const state::TaskPtr& before,
                    const state::TaskPtr& after) {
    ledger_.task_changed(view, before, after);
    const bool was_unplaced = before && is_unplaced(*before);
    const bool is_now_unplaced = after && is_unplaced(*after);
    if (is_now_unplaced && !was_unplaced) {
      enqueue(*after);
    } else if (was_unplaced && !is_now_unplaced) {
      dequeue(*before);
    }
    if (releases(before, after)) {
      retry_all();
    }
  }

  void node_changed(const state::NodePtr& before, const state::NodePtr& after) {
    ledger_.node_changed(before, after);
    if (matters(before, after)) {
      retry_all();
    }
  }

  void service_changed(const state::ServicePtr& before, const state::ServicePtr& after) {
    const model::ServiceId& id = after ? after->id : before->id;
    if (!after) {
      ledger_.forget_service(id);
      return;
    }
    for (auto group = groups_.lower_bound({id, 0});
         group != groups_.end() && group->first.service == id; ++group) {
      dirty_.insert(group->first);
    }
  }

  void retry_all() {
    for (const auto& [key, tasks] : groups_) {
      dirty_.insert(key);
    }
  }

  NodeLedger ledger_;
  std::map<RevisionKey, Waiting> groups_;
  std::set<RevisionKey> dirty_;
  std::map<RevisionKey, WallTime> retry_at_;  // groups with a task that waits for a suspect node
};

}  // namespace

std::unique_ptr<state::Reconciler> make_scheduler() {
  return std::make_unique<Scheduler>();
}

}  // namespace swarm::scheduler
