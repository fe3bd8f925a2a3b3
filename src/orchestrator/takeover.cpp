#include "orchestrator/takeover.h"

#include <algorithm>

#include "orchestrator/rollout_watch.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {

bool proves_itself(const model::TaskTemplate& task) {
  const std::vector<std::string>& test = task.container.health->test;
  if (!test.empty() && test.front() != "NONE") {
    return true;
  }
  return std::any_of(task.ports.begin(), task.ports.end(), [](const model::PublishedPort& port) {
    return port.protocol == model::PortProtocol::tcp;
  });
}

WallTime is_good_at(const state::View& view, const model::Service& service,
                    const model::Task& task) {
  const WallTime since = ran_since(task);
  return proves_itself(view.template_of(task)) ? since : since + policy_of(service).min_ready;
}

WallTime is_proven_at(const state::View& view, const model::Service& service,
                      const model::Task& task) {
  return std::min(is_good_at(view, service, task), ran_since(task) + policy_of(service).monitor);
}

std::optional<WallTime> takes_over_at(const state::View& view, const model::Service& service,
                                      const model::Task& successor, const model::Task& old) {
  const WallTime good = is_good_at(view, service, successor);
  if (old.revision == successor.revision || !is_on_trial(service, successor)) {
    return good;
  }
  if (!is_rollout_moving(service)) {
    return std::nullopt;
  }
  return std::max(good, ran_since(successor) + policy_of(service).monitor);
}

}  // namespace swarm::orchestrator
