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
// A task stays where it is: the other tasks of a task's slot, its predecessors, count as gone while
// it is placed (reservations, host ports, max_replicas_per_node, spread), and a slot counts once in
// the swarm however many tasks it has. The node of the predecessor wins ties; with a host-mode port
// or data on the node it is taken whenever it fits. So an update in place changes nothing for
// anybody else, start-first works on full nodes (both run there for the time of the switch), and
// spread is what placing the tasks one by one anew would make it. A slot whose last task ended goes
// back to where that ran, under the same rule; when it is tied to its node only as long as its
// revision does not keep failing there.
//
// While that node is suspect, and nothing else stands against it, the successor waits for what it
// turns out to be, but no longer than heartbeats may be missed: a connection that breaks for a
// moment moves nothing.
//
// A task that fits nowhere stays pending with WaitReason::no_suitable_node and the count of nodes
// each filter refused, written only when it changed. It is tried again when a node changes, when a
// task ends, goes or is told to stop, when its service changes, and on a new leader.
//
// A decision is booked at once: if the store refuses it, load() again.
std::unique_ptr<state::Reconciler> make_scheduler();

}  // namespace swarm::scheduler
