#pragma once

#include "orchestrator/plan.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {

// Why a task is given up: by itself it counts as an attempt and its successor waits; when its node
// is to blame the successor starts at once and carries the counters on.
enum class Cause { ended, node };

// Retires `task` and makes its successor in the slot, unless
// - a newer task of the slot is on its way: that one is the successor;
// - an older one still serves at another revision and no rollout moves towards that of `task`: the
// slot
//   stays where it is (a paused or reversed update is not tried again behind the operator's back);
// - the restart policy leaves it at that.
//
// While a rollout is open the successor has the revision of `task`, so that a crash neither jumps
// the queue nor mixes revisions during a pause; otherwise that of the service.
void replace(const model::Service& service, const SlotTasks& slot, const model::Task& task,
             Cause cause, Plan& plan);

// The successor of a task that goes on serving until the successor runs (drain, start-first).
// Nothing when the restart policy never replaces.
void add_successor(const model::Service& service, const model::Task& task, Plan& plan);

// What the successor of `task` is made from.
model::RevisionNumber successor_revision(const model::Service& service, const model::Task& task);

// A live task of the slot that is newer than `task`.
bool has_newer_live(const SlotTasks& slot, const model::Task& task);

}  // namespace swarm::orchestrator
