// A manager that lost its durable state: it does not take part, and says so.

#include <utility>

#include "base/log.h"
#include "manager/node.h"

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

}  // namespace swarm::manager
