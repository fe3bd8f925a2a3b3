#include "manager/incident_log.h"

#include <variant>

#include "base/log.h"

namespace swarm::manager {

namespace {

using model::RolloutState;

std::string node_name(const state::View& view, const model::NodeId& id) {
  const state::NodePtr node = view.node(id);
  return node == nullptr ? id.value() : model::display_name(*node);
}

log::Level level_of(RolloutState state) {
  switch (state) {
    case RolloutState::paused:
    case RolloutState::rollback_paused:
    case RolloutState::rollback_started:
      return log::Level::warning;
    case RolloutState::updating:
    case RolloutState::completed:
    case RolloutState::rollback_completed:
      return log::Level::info;
  }
  return log::Level::info;
}

void log_service(const state::ServicePtr& before, const state::ServicePtr& after) {
  const model::Service& service = after == nullptr ? *before : *after;
  const std::string& name = service.settings.name;
  if (before == nullptr) {
    log::info("service created", {{"service", name}, {"id", service.id.value()}});
  } else if (after == nullptr) {
    log::info("service gone", {{"service", name}, {"id", service.id.value()}});
  } else if (after->is_removed != before->is_removed) {
    log::info("service removed", {{"service", name}, {"id", service.id.value()}});
  } else if (after->rollout &&
             (!before->rollout || before->rollout->state != after->rollout->state ||
              before->rollout->started_at != after->rollout->started_at)) {
    const model::Rollout& rollout = *after->rollout;
    log::write(level_of(rollout.state), "rollout changed state",
               {{"service", name},
                {"state", model::to_string(rollout.state)},
                {"from", rollout.from},
                {"to", rollout.to},
                {"message", rollout.message}});
  }
}

void log_task(const state::View& view, const state::TaskPtr& before, const state::TaskPtr& after) {
  if (after == nullptr || (before != nullptr && before->status.state == after->status.state) ||
      (after->status.state != model::TaskState::failed &&
       after->status.state != model::TaskState::rejected)) {
    return;
  }
  const state::ServicePtr service = view.service(after->service);
  log::warning("task failed",
               {{"service", service == nullptr ? after->service.value() : service->settings.name},
                {"slot", after->slot},
                {"task", after->id.value()},
                {"revision", after->revision},
                {"node", node_name(view, after->node)},
                {"state", model::to_string(after->status.state)},
                {"error", after->status.error}});
}

void log_node(const state::NodePtr& before, const state::NodePtr& after) {
  if (before == nullptr || after == nullptr || before->status.state == after->status.state) {
    return;
  }
  const bool is_lost = after->status.state == model::NodeState::down;
  log::write(is_lost ? log::Level::warning : log::Level::info, "node changed state",
             {{"node", model::display_name(*after)},
              {"id", after->id.value()},
              {"state", model::to_string(after->status.state)},
              {"message", after->status.message}});
}

}  // namespace

void log_incidents(const state::View& view, const std::vector<state::Change>& changes) {
  for (const state::Change& change : changes) {
    if (const auto* service = std::get_if<state::ServicePtr>(&change.after)) {
      log_service(std::get<state::ServicePtr>(change.before), *service);
    } else if (const auto* task = std::get_if<state::TaskPtr>(&change.after)) {
      log_task(view, std::get<state::TaskPtr>(change.before), *task);
    } else if (const auto* node = std::get_if<state::NodePtr>(&change.after)) {
      log_node(std::get<state::NodePtr>(change.before), *node);
    }
  }
}

}  // namespace swarm::manager
