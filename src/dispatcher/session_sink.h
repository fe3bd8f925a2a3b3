#pragma once

#include "base/result.h"
#include "model/agent_messages.h"

namespace swarm::dispatcher {

// The dispatcher's way back to one agent. Implemented over a gRPC stream, or the simulated network.
// Called on the control loop; never blocks, never calls back into the dispatcher.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  virtual void send(model::AgentDownMessage message) = 0;
  virtual void close(Status reason) = 0;
};

}  // namespace swarm::dispatcher
