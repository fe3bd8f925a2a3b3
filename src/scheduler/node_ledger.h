#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "scheduler/needs.h"
#include "state/store.h"

namespace swarm::scheduler {

// Failures of a revision on a node count against the node for this long ...
inline constexpr Duration kFailureWindow = minutes(5);
// ... from this many on.
inline constexpr size_t kFailureThreshold = 5;

// One node and what is booked on it.
struct NodeAccount {
  state::NodePtr node;  // null: removed, but tasks that have not ended name it
  // Of tasks that have not ended, also those told to stop: they occupy until they are gone.
  model::Resources reserved;
  std::map<HostPort, std::map<model::ServiceId, uint32_t>> host_ports;
  // Tasks that are wanted and have not ended.
  uint32_t active = 0;
  std::map<model::ServiceId, uint32_t> active_of;
  // Tasks with anything in this account. Without any, the account of a removed node goes.
  uint32_t bookings = 0;
  // Latest failures by revision, oldest first, at most kMaxFailuresKept each.
  std::map<state::RevisionKey, std::deque<WallTime>> failures;

  uint32_t active_of_service(const model::ServiceId& service) const;
  // Failures of the revision within the window; 0 below the threshold, where they do not count.
  size_t counted_failures(const state::RevisionKey& revision, WallTime now) const;
};

// The books: what the tasks of the store occupy, node by node, kept up change by change so that a
// placement never adds anything up. Everything in it follows from the store. On the loop of the
// store.
class NodeLedger {
 public:
  // Forgets everything and books the whole view: O(tasks).
  void load(const state::View& view);

  // Books one change. Nodes are put in and taken out; tasks are moved from what they were to what
  // they are.
  void node_changed(const state::NodePtr& before, const state::NodePtr& after);
  void task_changed(const state::View& view, const state::TaskPtr& before,
                    const state::TaskPtr& after);
  // Within a round of placements, before they are stored; the stored change is then no news.
  void book(const state::View& view, const state::TaskPtr& task);

  // What a revision asks, parsed at its first use. Null when the revision is gone.
  std::shared_ptr<const Needs> needs(const state::View& view, const state::RevisionKey& key);
  void forget_revision(const state::RevisionKey& key);
  void forget_service(const model::ServiceId& service);

  const std::map<model::NodeId, NodeAccount>& nodes() const { return nodes_; }
  // What is left for new tasks.
  static model::Resources free_on(const NodeAccount& account);

 private:
  // What a task has in the books, to take exactly that out again.
  struct Booking {
    model::NodeId node;
    std::shared_ptr<const Needs> needs;
    bool is_active = false;
  };

  void enter(const Booking& booking);
  void take_out(const Booking& booking);
  void note_failure(const model::Task& task);

  std::map<model::NodeId, NodeAccount> nodes_;
  std::unordered_map<model::TaskId, Booking> bookings_;
  std::map<state::RevisionKey, std::shared_ptr<const Needs>> needs_;
};

}  // namespace swarm::scheduler
