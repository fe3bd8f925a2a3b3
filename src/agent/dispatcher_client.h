#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// One open stream to a dispatcher. Destroying it closes it; nothing is called afterwards.
class DispatcherStream {
 public:
  virtual ~DispatcherStream() = default;
  virtual void send(model::AgentUpMessage message) = 0;
};

// Opens streams to managers: over gRPC, or over the simulated network. On the agent's loop.
class DispatcherClient {
 public:
  struct Events {
    absl::AnyInvocable<void(model::AgentDownMessage)> on_message;
    // The stream is over, once. A manager that is not the leader ends it with FAILED_PRECONDITION
    // and `leader_address` set when it knows. An unreachable manager: UNAVAILABLE.
    absl::AnyInvocable<void(Status status, std::string leader_address)> on_closed;
    // Instead of on_closed: a manager, known by its certificate, says that this node was removed
    // from the swarm. Final: a node id is never used again.
    absl::AnyInvocable<void(Status status)> on_removed = nullptr;
  };

  virtual ~DispatcherClient() = default;
  virtual std::unique_ptr<DispatcherStream> open(const std::string& manager_address,
                                                 Events events) = 0;
};

}  // namespace swarm::agent
