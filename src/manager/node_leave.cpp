// How a node leaves a swarm because somebody asks it to: blocking sequences of Node.

#include <algorithm>
#include <utility>

#include "api/join_client.h"
#include "api/server.h"
#include "api/tls_client.h"
#include "base/log.h"
#include "base/thread_loop.h"
#include "manager/ask_any.h"
#include "manager/node.h"
#include "manager/wait_until.h"

namespace swarm::manager {

namespace {

constexpr Duration kLeaveLimit = seconds(8);
constexpr Duration kLookAgain = milliseconds(50);

}  // namespace

// The sentence depends on what would be lost, as the leader sees it.
Status Node::refuse_to_leave() const {
  const std::string force = ". To leave all the same, run `swarmctl swarm leave --force`";
  const auto refuse = [&force](const std::string& why) {
    return absl::FailedPreconditionError("this node is a manager" + why + force);
  };
  if (manager_ == nullptr) {
    return refuse(" that does not serve: " + manager_refusal());
  }
  const NodeRecord self = record();
  const auto nodes = ask_any<Result<std::vector<api::Client::NodeView>>>(
      self.managers, [&](const std::string& address) {
        return api::connect_tls(address, *credentials(), kCallTimeout)->list_nodes();
      });
  if (!nodes.ok()) {
    return refuse(", and whether the others can do without it is not known: " +
                  std::string(nodes.status().message()));
  }
  std::vector<std::string> unreachable;
  size_t others = 0;
  for (const api::Client::NodeView& view : *nodes) {
    const bool stays = view.node.manager.has_value() && view.node.spec.role == model::Role::manager;
    if (!stays || view.node.id == self.node) {
      continue;
    }
    ++others;
    if (!view.is_reachable && !view.is_leader) {
      unreachable.push_back(view.node.description.hostname);
    }
  }
  if (others == 0) {
    return absl::FailedPreconditionError(
        "this node is the last manager: leaving ends the swarm and removes its services" + force);
  }
  if ((others - unreachable.size()) * 2 <= others) {
    std::string names;
    for (const std::string& name : unreachable) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return refuse(", and without it the swarm would lose quorum: of the " + std::to_string(others) +
                  " resulting managers, these are unreachable: " + names +
                  ". Start them again or add managers first");
  }
  return refuse(": demote it first with `swarmctl node demote`");
}

Status Node::leave_here(bool force) {
  if (!membership_fault().empty()) {
    return force ? give_up_membership() : not_a_member();
  }
  if (credentials() == nullptr) {
    return absl::FailedPreconditionError("this node is not part of a swarm");
  }
  if (record().role == model::Role::manager) {
    if (!force) {
      return refuse_to_leave();
    }
    leave_group();
  }
  if (agent_ != nullptr) {
    agent_->leave();
    agent_.reset();
  }
  stop_server();
  stop_manager();
  const Status cleared = clear_membership();
  log::info("swarm left");
  return cleared;
}

// Asked until the group no longer lists this node. A leader that is asked hands over first, and the
// next one takes it out; a leader that was elected a moment ago may not have heard of enough yet.
void Node::leave_group() {
  const NodeRecord self = record();
  if (self.managers.empty() ||
      (self.managers.size() == 1 && self.managers.front() == self.advertise_address)) {
    return;  // there is nobody else
  }
  ThreadLoop clock{"leave"};
  clock.start();
  const TimePoint end = lifecycle_.now() + kLeaveLimit;
  Status asked = absl::UnavailableError("not asked yet");
  while (lifecycle_.now() < end) {
    if (!asked.ok()) {
      asked = ask_any<Status>(self.managers, [&](const std::string& address) {
        return api::leave_raft(address, *credentials(), kCallTimeout);
      });
    }
    if (asked.ok() && is_out_of_group(self)) {
      return;
    }
    // Nothing tells a member that it was removed: look again after a while.
    wait_until(clock, kLookAgain, [] { return false; });
  }
  log::warning("left before the group agreed to it", {{"reason", asked.message()}});
}

bool Node::is_out_of_group(const NodeRecord& self) const {
  const Result<std::vector<api::Client::NodeView>> nodes = list_nodes(self);
  if (!nodes.ok()) {
    return false;
  }
  return std::none_of(nodes->begin(), nodes->end(), [&](const api::Client::NodeView& view) {
    return view.node.id == self.node && view.node.manager.has_value();
  });
}

}  // namespace swarm::manager
