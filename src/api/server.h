#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "api/client/limits.h"
#include "api/client/local_node.h"
#include "api/credentials_source.h"
#include "base/result.h"
#include "security/identity.h"

namespace swarm::api {

// A gRPC server of swarmd: the local socket every node has (LocalNode and the control API), or the
// network address of a manager (everything but LocalNode, mutual TLS). Which call needs what is in
// security/roles. What only the leader can answer is passed on to it.
//
// It asks the node for its gateway at each call; so one server serves a node through all it
// becomes. A renewed certificate needs a new network server: stop this one first.
//
// Within `leader_budget` a call is answered, at the latest that there is no leader.
//
// Destroying it ends all streams, gives calls half a second, and returns when nothing uses the node
// any more: not from within one of the node's answers to a call.
class Server {
 public:
  // The socket file is replaced, and is for its owner and group only. `credentials`: to reach the
  // leader with.
  static Result<std::unique_ptr<Server>> listen_local(LocalNode& node,
                                                      const std::filesystem::path& socket,
                                                      CredentialsSource credentials,
                                                      Duration leader_budget = kLeaderBudget);

  // `address`: "0.0.0.0:2377"; port 0 takes a free one. UNAVAILABLE when it cannot be had.
  // `credentials` are there now; whoever connects after they were renewed is shown the new ones.
  static Result<std::unique_ptr<Server>> listen_network(LocalNode& node, const std::string& address,
                                                        CredentialsSource credentials,
                                                        Duration leader_budget = kLeaderBudget);

  ~Server();

  // The TCP port it listens on.
  uint16_t port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::api
