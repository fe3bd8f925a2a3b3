#include "dispatcher/assignment_tracker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/template_text.h"

namespace swarm::dispatcher {

using model::TaskState;

namespace {

bool is_placed(const model::Task& task) {
  return task.status.state >= TaskState::assigned;
}

TaskState desired_of(const model::Task& task) {
  return is_terminal(task.status.state) ? std::max(task.desired, TaskState::shutdown)
                                        : task.desired;
}

// A task never changes its node, so its placeholders have one meaning for its whole life, but for
// labels of the service: a task that is assigned again may see newer ones.
model::TemplateValues template_values(const state::View& view, const model::Task& task) {
  model::TemplateValues values;
  values.service_id = task.service.value();
  if (const state::ServicePtr service = view.service(task.service)) {
    values.service_name = service->settings.name;
    values.service_labels = service->settings.labels;
  }
  values.node_id = task.node.value();
  if (const state::NodePtr node = view.node(task.node)) {
    values.node_hostname = node->description.hostname;
    values.node_os = node->description.os;
    values.node_architecture = node->description.architecture;
  }
  values.task_id = task.id.value();
  values.task_name = model::task_name(values.service_name, task) + "." + task.id.value();
  values.task_slot = std::to_string(task.slot);
  return values;
}

model::Assignment assignment_of(const state::View& view, const model::Task& task) {
  model::Assignment assignment;
  assignment.task = task.id;
  assignment.service = task.service;
  if (const state::ServicePtr service = view.service(task.service)) {
    assignment.service_name = service->settings.name;
  }
  assignment.slot = task.slot;
  assignment.revision = task.revision;
  assignment.desired = desired_of(task);
  const model::TaskTemplate& spec = view.template_of(task);
  if (!is_terminal(task.status.state)) {
    assignment.spec = spec;
    if (model::has_placeholders(spec.container)) {
      model::expand_placeholders(assignment.spec.container, template_values(view, task));
    }
  } else {
    assignment.spec.container.stop_grace_period = spec.container.stop_grace_period;
    assignment.spec.drain_timeout = spec.drain_timeout;
  }
  return assignment;
}

}  // namespace

AssignmentTracker::Sent AssignmentTracker::sent_of(const model::Task& task) {
  return {desired_of(task), task.revision};
}

void AssignmentTracker::assign(const state::View& view, const model::Task& task,
                               model::AssignmentSet* set) {
  sent_[task.id] = sent_of(task);
  set->assigned.push_back(assignment_of(view, task));
}

model::AssignmentSet AssignmentTracker::complete(const state::View& view) {
  model::AssignmentSet set;
  set.is_complete = true;
  set.position = view.position();
  noted_.clear();
  sent_.clear();
  for (const auto& [id, task] : view.tasks_on(node_)) {
    if (is_placed(*task)) {
      assign(view, *task, &set);
    }
  }
  return set;
}

model::AssignmentSet AssignmentTracker::changes(const state::View& view) {
  model::AssignmentSet set;
  set.position = view.position();
  for (const model::TaskId& id : std::exchange(noted_, {})) {
    const state::TaskPtr task = view.task(id);
    const auto sent = sent_.find(id);
    if (task != nullptr && task->node == node_ && is_placed(*task)) {
      if (sent == sent_.end() || sent->second != sent_of(*task)) {
        assign(view, *task, &set);
      }
    } else if (sent != sent_.end()) {
      sent_.erase(sent);
      set.removed.push_back(id);
    }
  }
  return set;
}

}  // namespace swarm::dispatcher
