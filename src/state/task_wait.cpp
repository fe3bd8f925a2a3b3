#include "state/task_wait.h"

namespace swarm::state {

model::TaskWait wait_for_restart_delay(const model::Task& held) {
  return {"waiting for the restart delay", held.meta.created_at,
          held.not_before - held.meta.created_at};
}

model::TaskWait wait_for_predecessor(const View& view, const model::Task& held) {
  model::TaskWait wait;
  wait.since = held.meta.created_at;
  const TaskPtr predecessor = view.task(held.predecessor);
  const ServicePtr service = view.service(held.service);
  if (!predecessor || !service) {
    wait.what = "waiting for the task before it to stop";
    return wait;
  }
  const NodePtr node = view.node(predecessor->node);
  wait.what = "waiting for " + model::task_name(service->settings.name, *predecessor) +
              (node ? " on node " + model::display_name(*node) : "") + " to stop";
  const model::TaskTemplate& spec = view.template_of(*predecessor);
  wait.limit = spec.drain_timeout + spec.container.stop_grace_period;
  return wait;
}

std::optional<model::TaskWait> wait_of(const View& view, const model::Task& stored,
                                       const model::TaskStatus& newest) {
  if (stored.desired == model::TaskState::ready && model::is_terminal(newest.state)) {
    // It could not be prepared; the next attempt comes when its own delay is over.
    return is_set(stored.not_before) ? std::optional(wait_for_restart_delay(stored)) : std::nullopt;
  }
  if (stored.desired == model::TaskState::ready) {
    if (stored.status.wait == model::WaitReason::restart_delay) {
      return wait_for_restart_delay(stored);
    }
    if (stored.status.wait == model::WaitReason::predecessor) {
      return wait_for_predecessor(view, stored);
    }
  }
  if (newest.wait == model::WaitReason::none) {
    return std::nullopt;
  }
  // A task that runs waits for its engine, and has since some time after it started.
  const bool began_with_state = newest.state < model::TaskState::running;
  return model::TaskWait{newest.message, began_with_state ? newest.at : WallTime{}, {}};
}

}  // namespace swarm::state
