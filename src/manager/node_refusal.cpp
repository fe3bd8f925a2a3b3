// A node that lost durable state. A manager without what it promised takes no part; a node without
// what says who it is does nothing at all. Both say so on the local socket, with the cure.

#include <utility>

#include "base/log.h"
#include "manager/left_membership.h"
#include "manager/node.h"
#include "model/node.h"

namespace swarm::manager {

// The node stays: its tasks and its mesh go on, and the local socket says what to do. Nothing
// listens on the swarm port, so that the others take this manager for one that is down.
void Node::refuse_to_serve(const Status& reason) {
  const std::string text(reason.message());
  log::error("this manager does not serve", {{"reason", text}});
  stop_server();
  stop_manager();
  {
    const std::scoped_lock lock(mutex_);
    manager_refusal_ = text;
  }
  if (agent_ != nullptr) {
    agent_->set_manager_refusal(text);
  }
}

std::string Node::manager_refusal() const {
  const std::scoped_lock lock(mutex_);
  return manager_refusal_;
}

void Node::forget_refusal() {
  const std::scoped_lock lock(mutex_);
  manager_refusal_.clear();
}

Status Node::not_serving() const {
  return absl::FailedPreconditionError("this manager does not serve: " + manager_refusal());
}

// Its tasks and its mesh go on, as they did while swarmd was away.
void Node::refuse_to_work(const Status& reason) {
  const std::string text =
      std::string(reason.message()) +
      ". Put the state folder back as it was, or give this membership up with `swarmctl swarm "
      "leave --force`, which ends its tasks here, and join again";
  log::error("this node refuses to work", {{"reason", text}});
  const std::scoped_lock lock(mutex_);
  membership_fault_ = text;
}

std::string Node::membership_fault() const {
  const std::scoped_lock lock(mutex_);
  return membership_fault_;
}

Status Node::give_up_membership() {
  const NodeRecord left = left_record(files_, options_.state_directory);
  std::vector<RuntimeChoice> runtimes;
  if (!left.runtime.empty()) {
    runtimes.push_back({left.runtime, left.engine, "it was recorded"});
  } else {
    runtimes.push_back(
        {std::string(model::kProcessRuntime), "", "its tasks are in the state folder"});
    SWARM_ASSIGN_OR_RETURN(RuntimeChoice choice, decide_runtime());
    if (choice.runtime != model::kProcessRuntime && !left.node.is_empty()) {
      runtimes.push_back(std::move(choice));
    } else if (choice.runtime != model::kProcessRuntime) {
      log::error("containers of this node cannot be told from those of others",
                 {{"cure", "remove those with a label com.swarmd.node that no node has"}});
    }
  }
  end_left_membership(options_.agent, left, runtimes, options_.state_directory, files_);
  SWARM_RETURN_IF_ERROR(clear_membership());
  log::warning("membership given up; its managers do not know of it",
               {{"swarm", left.swarm.value()},
                {"node", left.node.value()},
                {"cure", "run 'swarmctl node rm --force' with this node's id on a manager"}});
  return absl::OkStatus();
}

}  // namespace swarm::manager
