#include "orchestrator/orchestrators.h"

namespace swarm::orchestrator {

std::vector<std::unique_ptr<state::Reconciler>> make_all(Random random) {
  std::vector<std::unique_ptr<state::Reconciler>> all;
  all.push_back(make_node_lifecycle(random.fork("node_lifecycle")));
  all.push_back(make_replicated(random.fork("replicated")));
  all.push_back(make_rollout(random.fork("rollout")));
  all.push_back(make_restart(random.fork("restart")));
  all.push_back(make_handover());
  all.push_back(make_converged());
  all.push_back(make_reaper());
  return all;
}

}  // namespace swarm::orchestrator
