#include "manager/reconcilers.h"

#include <utility>

#include "orchestrator/orchestrators.h"
#include "scheduler/scheduler.h"

namespace swarm::manager {

std::vector<std::unique_ptr<state::Reconciler>> make_reconcilers(Random& random) {
  std::vector<std::unique_ptr<state::Reconciler>> reconcilers =
      orchestrator::make_all(random.fork("orchestrator"));
  reconcilers.push_back(scheduler::make_scheduler());
  return reconcilers;
}

}  // namespace swarm::manager
