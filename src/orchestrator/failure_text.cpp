#include "orchestrator/failure_text.h"

namespace swarm::orchestrator {
namespace {

std::string name_with_node(const state::View& view, const model::Service& service,
                           const model::Task& task) {
  std::string text = model::task_name(service.settings.name, task);
  if (const state::NodePtr node = view.node(task.node)) {
    text += " on node " + model::display_name(*node);
  }
  return text;
}

}  // namespace

std::string describe_failure(const state::View& view, const model::Service& service,
                             const model::Task& task) {
  const model::TaskStatus& status = task.status;
  std::string reason = status.error;
  if (reason.empty() && status.exit_code) {
    reason = "exit code " + std::to_string(*status.exit_code);
  }
  if (reason.empty()) {
    reason = status.message.empty() ? std::string(model::to_string(status.state)) : status.message;
  }
  return name_with_node(view, service, task) + ": " + reason;
}

std::string describe_wait(const state::View& view, const model::Service& service,
                          const model::Task& task) {
  const model::TaskStatus& status = task.status;
  std::string reason = status.error.empty() ? status.message : status.error;
  return name_with_node(view, service, task) + " is " +
         std::string(model::to_string(status.state)) + (reason.empty() ? "" : ": " + reason);
}

}  // namespace swarm::orchestrator
