#include "api/server/server_core.h"

#include <vector>

namespace swarm::api {

ServerCore::ServerCore(LocalNode& node, model::SwarmId swarm, CredentialsSource credentials,
                       Duration leader_budget)
    : node_(&node),
      swarm_(std::move(swarm)),
      leader_budget_(leader_budget),
      channels_(std::move(credentials)) {}

std::shared_ptr<Gateway> ServerCore::gateway() const {
  const std::shared_lock lock(node_mutex_);
  return node_ == nullptr ? nullptr : node_->gateway();
}

LocalNode::Info ServerCore::info() const {
  const std::shared_lock lock(node_mutex_);
  return node_ == nullptr ? LocalNode::Info{} : node_->info();
}

Status ServerCore::not_a_manager() const {
  const LocalNode::Info node = info();
  if (!node.membership_fault.empty()) {
    return absl::FailedPreconditionError("this node refuses to work: " + node.membership_fault);
  }
  if (!node.is_member) {
    return absl::FailedPreconditionError("this node is not part of a swarm" +
                                         (node.notice.empty() ? "" : ": " + node.notice) +
                                         "; run `swarmctl swarm init` or `swarmctl swarm join`");
  }
  if (!node.manager_refusal.empty()) {
    return absl::FailedPreconditionError("this manager does not serve: " + node.manager_refusal);
  }
  const std::string name = node.hostname.empty() ? "NAME" : node.hostname;
  return absl::FailedPreconditionError(
      "this node is not a manager; run the command on a manager or promote this node: swarmctl "
      "node "
      "promote " +
      name);
}

Status ServerCore::with_node(const std::function<void(LocalNode&)>& use) const {
  const std::shared_lock lock(node_mutex_);
  if (node_ == nullptr) {
    return absl::UnavailableError("swarmd is stopping");
  }
  use(*node_);
  return absl::OkStatus();
}

uint64_t ServerCore::next_request_number() {
  const std::lock_guard lock(random_mutex_);
  return random_.next() | 1;
}

bool ServerCore::add_stream(const std::shared_ptr<ClosableStream>& stream) {
  const std::lock_guard lock(streams_mutex_);
  if (is_closed_) {
    return false;
  }
  streams_.emplace(stream.get(), stream);
  return true;
}

void ServerCore::remove_stream(ClosableStream* stream) {
  const std::lock_guard lock(streams_mutex_);
  streams_.erase(stream);
}

void ServerCore::close() {
  {
    const std::unique_lock lock(node_mutex_);
    node_ = nullptr;
  }
  std::vector<std::shared_ptr<ClosableStream>> open;
  {
    const std::lock_guard lock(streams_mutex_);
    is_closed_ = true;
    for (const auto& [key, stream] : streams_) {
      open.push_back(stream.lock());
    }
  }
  for (const auto& stream : open) {
    if (stream != nullptr) {
      stream->close(absl::UnavailableError("this manager stops"));
    }
  }
}

}  // namespace swarm::api
