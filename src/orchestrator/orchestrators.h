#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "state/reconciler.h"

// The deciders that keep services true. Each is a function from the stored state to a change set
// and remembers nothing but what is dirty: all counters, deadlines and holds are in the store, so a
// new leader goes on where the old one stopped. They do not know each other; what a slot needs
// decides whose turn it is, and no two of them see the same need:
//
//   replicated      how many slots there are: creates missing ones, removes surplus ones, empties
//                   removed services
//   rollout         slots that are not at the service's revision while an update or rollback is on
//   restart         wanted tasks that have ended
//   node_lifecycle  wanted tasks on nodes that are lost, removed, drained or no longer fit
//   handover        tasks that are held back, and tasks whose successor runs
//   converged       that all slots of a service run at its revision
//   reaper          records nobody needs any more
//
// Not for choosing nodes (scheduler), for noticing that a node is lost (dispatcher), or for
// checking what users ask (control). On the loop of the store. Follows SwarmKit's orchestrators but
// keeps every wait as a stored deadline. Task ids come from `random`. Decisions are computed to be
// committed: when the store refuses one, load() again.
namespace swarm::orchestrator {

std::unique_ptr<state::Reconciler> make_replicated(Random random);
std::unique_ptr<state::Reconciler> make_rollout(Random random);
std::unique_ptr<state::Reconciler> make_restart(Random random);
std::unique_ptr<state::Reconciler> make_node_lifecycle(Random random);
std::unique_ptr<state::Reconciler> make_handover();
std::unique_ptr<state::Reconciler> make_converged();
std::unique_ptr<state::Reconciler> make_reaper();

// All of them, in the order in which they are best asked: a failure pauses its rollout before
// anybody restarts the task. Any other order is safe too.
std::vector<std::unique_ptr<state::Reconciler>> make_all(Random random);

}  // namespace swarm::orchestrator
