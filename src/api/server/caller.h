#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/change_set.h"
#include "model/ids.h"
#include "model/node.h"

namespace grpc {
class CallbackServerContext;
}  // namespace grpc

namespace swarm::api {

class ServerCore;

// Who asks, after the check of rights.
struct Caller {
  // The node that asks: of the caller's certificate; for a request another manager passed on, the
  // node that asked that manager; on the local socket, this node. Empty for a node that has only a
  // token.
  model::NodeId node;
  // Passed on by another manager already: not to be passed on again.
  bool is_forwarded = false;
  // By which a write is known when it comes again.
  model::RequestId request{};
};

// The one door: every handler of every service goes through it first. Checks the role that the
// table in security/roles gives the method, the swarm, and that the node was not removed. Also
// marks the answer as one of ours (metadata.h).
Result<Caller> admit(ServerCore& core, grpc::CallbackServerContext& context,
                     std::string_view method);

// "10.0.0.7" of the peer "ipv4:10.0.0.7:41234".
std::string host_of_peer(const std::string& peer);

}  // namespace swarm::api
