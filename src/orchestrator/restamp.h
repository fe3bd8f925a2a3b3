#pragma once

#include "orchestrator/plan.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {

// Takes running tasks over to the revision of a rollout as they are, where the two revisions make
// the same container: a change of placement or published ports alone restarts nothing that still
// fits. Those that do not fit their node any more (constraints, replicas per node, a host-mode port
// that another service holds) are left for the rollout to move. So are processes, but not
// containers, where there is a new target port: what they listen on is settled when they start. A
// container that is taken over has to show that it is served there; until then its slot is not
// done. Returns whether any was taken over.
bool restamp_what_fits(const model::Service& service, const std::vector<SlotTasks>& slots,
                       Plan& plan);

// The revision of the rollout has converged, or another that makes the same container.
bool has_converged_container(const state::View& view, const model::Service& service);

}  // namespace swarm::orchestrator
