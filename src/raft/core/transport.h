#pragma once

#include <string>
#include <utility>

#include "raft/core/types.h"

namespace swarm::raft {

// Carries messages between members: over gRPC, or over the simulated network. Never blocks; may
// lose, repeat and reorder. What it learns about peers comes back through Replica::receive and
// Replica::peer_refused. On the raft loop.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual void set_peer(MemberId peer, const std::string& address) = 0;
  virtual void remove_peer(MemberId peer) = 0;
  virtual void send(MemberId to, std::string message) = 0;
  // A part of a snapshot: on a connection of its own where there is such a thing, so that it does
  // not keep what `send` carries waiting.
  virtual void send_bulk(MemberId to, std::string message) { send(to, std::move(message)); }
  // The peer seems not to receive what is sent to it: drop its connection and make another.
  virtual void reset_peer(MemberId) {}
};

}  // namespace swarm::raft
