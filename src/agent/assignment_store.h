#pragma once

#include <vector>

#include "base/result.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// What an agent must know after its own restart, before any manager answers: its tasks as assigned
// (desired state `remove` for those being forgotten) and how far each had come.
struct AgentRecord {
  std::vector<model::Assignment> assigned;
  std::vector<model::TaskReport> reports;

  bool operator==(const AgentRecord&) const = default;
};

// Keeps the agent's record across restarts of swarmd: implemented in the assembly over the wire
// format and one file that is replaced atomically. On the agent's loop; may block for one small
// write.
//
// Losing the newest record is harmless: what runs is found again through the executor, and the
// first complete assignment set settles the rest.
class AssignmentStore {
 public:
  virtual ~AssignmentStore() = default;

  // The newest record that was saved; an empty one when there is none. DATA_LOSS when there is one
  // that cannot be read.
  virtual Result<AgentRecord> load() = 0;
  virtual Status save(const AgentRecord& record) = 0;
};

}  // namespace swarm::agent
