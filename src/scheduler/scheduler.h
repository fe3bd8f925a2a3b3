#pragma once

#include <memory>

#include "state/reconciler.h"

namespace swarm::scheduler {

// Gives every task that waits for one a node. Reads tasks, nodes and revisions; writes nothing but
// a pending task's node and status. It does not create, stop or move tasks: that is the
// orchestrators'. On the loop of the store. Follows SwarmKit's scheduler, but for what is said
// below.
//
// Pending tasks of one revision are a group and are placed in one round, in the order of slot and
// id: the filter pipeline (filters.h) says which nodes fit, the spread tree (spread_tree.h) which
// of them is next. Counts are those of the moment, so a full branch leaves the rest to the others
// evenly.
//
// Makes way: when no node is left for a task, the nodes of the other tasks of its slot that have
// not ended are tried once more, with that task's place under max_replicas_per_node counted as
// free, and if that is not enough its reservation too. So start-first works on full nodes (both run
// there for the time of the switch) and stop-first may prepare the new task where the old one still
// stops. Host ports need no such rule: tasks of one service may share them.
//
// A task that fits nowhere stays pending with WaitReason::no_suitable_node and the count of nodes
// each filter refused, written only when it changed. It is tried again when a node changes, when a
// task ends, goes or is told to stop, when its service changes, and on a new leader.
//
// A decision is booked at once: if the store refuses it, load() again.
std::unique_ptr<state::Reconciler> make_scheduler();

}  // namespace swarm::scheduler
