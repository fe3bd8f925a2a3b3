#pragma once

#include <set>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "model/node.h"
#include "state/store.h"

namespace swarm::manager {

// Keeps the Raft group in step with the roles that nodes should have: a node that was demoted or
// removed leaves the group before its record says so, and a member whose node was removed by force
// after it. (Joining is asked for by the node itself, once it holds a manager's certificate.) A
// leader that was demoted hands over first.
//
// One change at a time; what fails is tried again. On the control loop; lives with a leadership.
class RoleManager {
 public:
  using Done = absl::AnyInvocable<void(Status)>;

  // What it needs of the replica; calls come back on the control loop.
  struct Membership {
    absl::AnyInvocable<void(model::MemberId, Done)> remove;
    absl::AnyInvocable<void(Done)> transfer;
  };

  RoleManager(EventLoop& loop, state::Store& store, model::NodeId self, Membership membership);

  void start();
  void observe(const std::vector<state::Change>& changes);

 private:
  void schedule();
  void run();
  void remove_without_node(model::MemberId member);
  void finished(const model::NodeId& node, Status status);

  EventLoop& loop_;
  state::Store& store_;
  const model::NodeId self_;
  Membership membership_;
  bool is_busy_ = false;
  std::set<model::MemberId> removed_;  // as the store says; the group may still hold them
  Timer retry_;
  Anchor anchor_;
};

}  // namespace swarm::manager
