#pragma once

#include <string>

#include "model/ids.h"

namespace swarm::state {

// Where the leader's transactions go to be replicated: implemented over the raft replica.
class Proposer {
 public:
  virtual ~Proposer() = default;

  // `entry` holds the change set of `position`. Positions come in order without gaps. The outcome
  // comes back through Store::confirm or Store::abandon.
  virtual void propose(model::Position position, std::string entry) = 0;
};

}  // namespace swarm::state
