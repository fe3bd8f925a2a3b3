#pragma once

#include <string>
#include <vector>

#include "state/view.h"

// What the tasks of a service say about its slots: the vocabulary all orchestrators share.
namespace swarm::orchestrator {

// The orchestrators want it to run, now or later.
bool is_wanted(const model::Task& task);
// Wanted, and has not ended.
bool is_live(const model::Task& task);
bool is_running(const model::Task& task);
// Wanted, and does its work (model::is_working).
bool is_working(const model::Task& task);
// Holds nothing any more as far as the swarm can know: it has ended, never had a node, or its node
// is down or removed.
bool is_gone(const state::View& view, const model::Task& task);
// Of two tasks of one slot, by creation. Those of one instant are told apart by their restart
// counters, then by who has run already.
bool is_older(const model::Task& a, const model::Task& b);

// One slot and every task record it has, oldest first. Points into the view.
struct SlotTasks {
  model::Slot number = 0;
  std::vector<const model::Task*> tasks;

  bool has_wanted() const;
  // The newest record that is not to be forgotten; null when there is none.
  const model::Task* newest() const;
};

// The slots that have records, by number. O(tasks of the service log tasks). Holds until the next
// commit.
std::vector<SlotTasks> slots_of(const state::View& view, const model::ServiceId& service);

// Nothing in it is wanted, because its last task ended and the restart policy leaves it at that. It
// counts as a replica all the same, as a service of `restart: none` has done its work.
bool is_settled(const state::View& view, const SlotTasks& slot);

// A replica is there, or has been and is left as it ended.
bool is_occupied(const state::View& view, const SlotTasks& slot);

// A rollout is on or stands still: slots may be at two revisions on purpose.
bool is_rollout_open(const model::Service& service);
bool is_rollout_moving(const model::Service& service);
bool is_rollback(const model::Rollout& rollout);
// The policy that holds now: that of the rollback while one is open, else that of updates.
const model::UpdatePolicy& policy_of(const model::Service& service);

// Which task goes first in a slot that gets a task of `revision`.
model::UpdateOrder order_of(const state::View& view, const model::Service& service,
                            model::RevisionNumber revision);

// Its slots all ran at `revision` just now.
void note_converged(model::Service& service, model::RevisionNumber revision);

// A task that waits for a node. Its id comes from Plan::create.
model::Task make_task(const model::Service& service, model::Slot slot,
                      model::RevisionNumber revision, WallTime now);

// stop-first: holds `task` until every other task of the slot is gone. Those that are wanted must
// be retired by the caller. start-first: does nothing.
void hold_behind(const state::View& view, const model::Service& service, const SlotTasks& slot,
                 model::Task& task);

}  // namespace swarm::orchestrator
