#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
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

// Slots of one service on one node.
struct SlotCounts {
  // Whose newest wanted task is here: what spreading counts, so that a slot counts once in the
  // swarm, also while its old task and its new one both run.
  uint32_t active = 0;
  // With a wanted task here, superseded or not: what max_replicas_per_node limits.
  uint32_t occupied = 0;

  bool operator==(const SlotCounts&) const = default;
};

// One node and what is booked on it. The tasks that a slot has on the node are booked as one that
// takes the largest of their reservations: an update in place changes nothing for anybody else.
struct NodeAccount {
  state::NodePtr node;  // null: removed, but tasks that have not ended name it
  // Of tasks that have not ended, also those told to stop: they occupy until they are gone.
  model::Resources reserved;
  std::map<HostPort, std::map<model::ServiceId, uint32_t>> host_ports;
  uint32_t active = 0;  // slots of all services
  std::map<model::ServiceId, SlotCounts> slots_of;
  // Tasks with anything in this account. Without any, the account of a removed node goes.
  uint32_t bookings = 0;
  // Latest failures by revision, oldest first, at most kMaxFailuresKept each.
  std::map<state::RevisionKey, std::deque<WallTime>> failures;

  SlotCounts of_service(const model::ServiceId& service) const;
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

  // While `is_kept`, a slot counts where its last task is although that was told to stop: its
  // successor is about to be placed, and until then the slot belongs there.
  void keep_place(const model::ServiceId& service, model::Slot slot, bool is_kept);
  // Takes what a slot's tasks hold out of the books until `restore`: a successor is placed as if
  // they were gone. Nothing of another slot may be lifted meanwhile.
  void lift(const model::ServiceId& service, model::Slot slot);
  void restore(const model::ServiceId& service, model::Slot slot);
  // The tasks that a successor in the slot replaces, the one it should replace first: those that
  // hold a node (wanted ones, then running ones, then newer ones), else the last that ran. O(tasks
  // of the slot).
  std::vector<state::TaskPtr> predecessors(const model::ServiceId& service, model::Slot slot) const;

  // What a revision asks, parsed at its first use. Null when the revision is gone.
  std::shared_ptr<const Needs> needs(const state::View& view, const state::RevisionKey& key);
  void forget_revision(const state::RevisionKey& key);
  void forget_service(const model::ServiceId& service);

  const std::map<model::NodeId, NodeAccount>& nodes() const { return nodes_; }
  // What is left for new tasks.
  static model::Resources free_on(const NodeAccount& account);

 private:
  struct Booking {
    state::TaskPtr task;
    std::shared_ptr<const Needs> needs;
  };
  struct SlotBooks {
    std::vector<Booking> bookings;  // tasks that occupy a node
    state::TaskPtr last_run;        // the newest that ran and has ended
    bool is_lifted = false;
    bool keeps_place = false;

    bool is_empty() const { return bookings.empty() && !last_run; }
  };
  enum class Entry { in, out };
  // What one booking stands for; the first of its slot on a node stands for all of them there.
  struct Share {
    model::Resources reserved;
    bool is_occupying = false;
    bool is_newest = false;
  };

  // What a slot holds, into the accounts or out of them.
  void post(const SlotBooks& books, Entry entry);
  void post_booking(const Booking& booking, const Share& share, Entry entry);
  void set_booking(const state::View& view, const state::TaskPtr& task, SlotBooks& books);
  SlotBooks* find_slot(const model::ServiceId& service, model::Slot slot);
  void drop_if_empty(const model::ServiceId& service, model::Slot slot);
  void note_failure(const model::Task& task);

  std::map<model::NodeId, NodeAccount> nodes_;
  std::unordered_map<model::ServiceId, std::map<model::Slot, SlotBooks>> slots_;
  std::map<state::RevisionKey, std::shared_ptr<const Needs>> needs_;
};

}  // namespace swarm::scheduler
