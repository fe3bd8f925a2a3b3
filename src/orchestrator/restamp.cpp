#include "orchestrator/restamp.h"

#include <algorithm>
#include <map>
#include <optional>

#include "model/placement.h"
#include "model/target_port.h"

namespace swarm::orchestrator {
namespace {

using model::PublishedPort;
using model::TaskTemplate;

bool has_new_target(const TaskTemplate& old, const TaskTemplate& next) {
  const auto old_targets = model::target_ports(old.ports);
  const auto next_targets = model::target_ports(next.ports);
  return !std::includes(old_targets.begin(), old_targets.end(), next_targets.begin(),
                        next_targets.end());
}

// A task made from `old` is what `next` would make, but for the ports it is told.
bool makes_same_container(const TaskTemplate& old, const TaskTemplate& next) {
  TaskTemplate changed = old;
  changed.placement = next.placement;
  changed.ports = next.ports;
  return changed == next;
}

bool is_host_port_of(const TaskTemplate& task, const PublishedPort& port) {
  return std::any_of(task.ports.begin(), task.ports.end(), [&](const PublishedPort& other) {
    return other.mode == model::PublishMode::host && other.published == port.published &&
           other.protocol == port.protocol;
  });
}

// Another service holds a host-mode port of `task` on the node.
bool has_port_conflict(const state::View& view, const model::ServiceId& service,
                       const TaskTemplate& task, const model::NodeId& node) {
  for (const PublishedPort& port : task.ports) {
    if (port.mode != model::PublishMode::host) {
      continue;
    }
    for (const auto& [id, other] : view.tasks_on(node)) {
      if (other->service != service && !model::is_terminal(other->status.state) &&
          is_host_port_of(view.template_of(*other), port)) {
        return true;
      }
    }
  }
  return false;
}

class Restamp {
 public:
  Restamp(const model::Service& service, const std::vector<SlotTasks>& slots, Plan& plan)
      : service_(service),
        slots_(slots),
        plan_(plan),
        next_(plan.view().revision(service.id, service.rollout->to)->task) {}

  bool run() {
    bool has_any = false;
    for (const SlotTasks& slot : slots_) {
      for (const model::Task* task : slot.tasks) {
        if (plan_.is_full()) {
          return has_any;
        }
        if (is_live(*task) && task->revision != service_.rollout->to && fits(*task)) {
          ++at_revision_on(task->node);
          take_over(*task);
          has_any = true;
        }
      }
    }
    return has_any;
  }

 private:
  // Live tasks at the new revision on the node, those taken over in this plan included. A step of a
  // rollout that finds nothing to take over never counts.
  uint64_t& at_revision_on(const model::NodeId& node) {
    if (!at_revision_on_) {
      at_revision_on_.emplace();
      for (const SlotTasks& slot : slots_) {
        for (const model::Task* task : slot.tasks) {
          if (is_live(*task) && task->revision == service_.rollout->to) {
            ++(*at_revision_on_)[task->node];
          }
        }
      }
    }
    return (*at_revision_on_)[node];
  }

  void take_over(const model::Task& task) {
    model::Task& taken = plan_.edit(task);
    taken.revision = service_.rollout->to;
    if (has_new_target(plan_.view().template_of(task), next_)) {
      // Until its agent says otherwise.
      taken.status.wait = model::WaitReason::health;
      taken.status.message = "not yet known to serve its new ports";
    }
  }

  bool fits(const model::Task& task) {
    if (task.node.is_empty() || !is_same_container(task)) {
      return false;
    }
    const TaskTemplate& old = plan_.view().template_of(task);
    // One that does not run yet is probed on the ports that it was made for.
    if (!is_running(task) && model::target_ports(old.ports) != model::target_ports(next_.ports)) {
      return false;
    }
    const state::NodePtr node = plan_.view().node(task.node);
    if (!node || (model::has_fixed_ports(node->description) && has_new_target(old, next_))) {
      return false;
    }
    const uint64_t limit = next_.placement->max_replicas_per_node;
    return model::meets_constraints(*next_.placement, *node) &&
           (limit == 0 || at_revision_on(task.node) < limit) &&
           !has_port_conflict(plan_.view(), service_.id, next_, task.node);
  }

  bool is_same_container(const model::Task& task) {
    const auto [found, is_new] = is_same_.try_emplace(task.revision, false);
    if (is_new) {
      found->second = makes_same_container(plan_.view().template_of(task), next_);
    }
    return found->second;
  }

  const model::Service& service_;
  const std::vector<SlotTasks>& slots_;
  Plan& plan_;
  const TaskTemplate& next_;
  std::map<model::RevisionNumber, bool> is_same_;
  std::optional<std::map<model::NodeId, uint64_t>> at_revision_on_;
};

}  // namespace

bool has_converged_container(const state::View& view, const model::Service& service) {
  const TaskTemplate& next = view.revision(service.id, service.rollout->to)->task;
  return std::any_of(service.converged.begin(), service.converged.end(), [&](const auto number) {
    const state::RevisionPtr revision = view.revision(service.id, number);
    return revision && !has_new_target(revision->task, next) &&
           makes_same_container(revision->task, next);
  });
}

bool restamp_what_fits(const model::Service& service, const std::vector<SlotTasks>& slots,
                       Plan& plan) {
  return Restamp(service, slots, plan).run();
}

}  // namespace swarm::orchestrator
