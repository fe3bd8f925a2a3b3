#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "model/agent_messages.h"
#include "state/store.h"

namespace swarm::dispatcher {

// A node that has not said these by then has a broken or a malicious agent: longer texts are cut.
inline constexpr size_t kMaxDescriptionText = 256;
inline constexpr size_t kMaxEngineLabels = 64;
inline constexpr size_t kMaxReason = 512;
// Nodes in one transaction: a full description is at most some kilobytes.
inline constexpr size_t kMaxNodesPerCommit = 50;
// How soon a commit that the store refused is tried again.
inline constexpr Duration kCommitRetryWait = milliseconds(100);

// Writes to the store what the dispatcher knows about nodes: whether they are there, what they are,
// and where. Writes nothing that the store says already. What the store refuses for the moment
// stays wanted and is tried again. On the control loop.
class NodeRecords {
 public:
  NodeRecords(EventLoop& loop, state::Store& store);

  void set_ready(const model::NodeId& node, model::NodeDescription description,
                 const std::string& address);
  void set_description(const model::NodeId& node, model::NodeDescription description);
  // What is wrong with it, as it says itself. A condition that held already keeps its beginning.
  void set_report(const model::NodeId& node, model::NodeReport report);
  // How far its clock is off; empty: it is right.
  void set_clock(const model::NodeId& node, std::string reason);
  // Another machine uses the identity of the node, or does so no longer (empty).
  void set_identity_conflict(const model::NodeId& node, std::string reason);
  // Its stream broke. Only a node that is ready can be suspected.
  void set_suspect(const model::NodeId& node, std::string message = "connection lost");
  // Likewise, and it said that it comes back.
  void set_restarting(const model::NodeId& node);
  void set_down(const std::vector<model::NodeId>& nodes);

 private:
  struct Wanted {
    std::optional<model::NodeDescription> description;
    std::optional<model::NodeReport> report;
    std::optional<std::string> clock;
    std::optional<model::NodeState> state;
    bool is_restarting = false;
    std::string message;
    std::string address;  // empty: as it is
    std::optional<std::string> conflict;
  };

  void want_state(const model::NodeId& node, model::NodeState state, std::string message);
  static void apply_state(const Wanted& wanted, WallTime now, model::NodeStatus& status);
  void flush();
  // The record with what is wanted, if that changes it.
  std::optional<model::Node> changed(const model::Node& node, const Wanted& wanted) const;

  EventLoop& loop_;
  state::Store& store_;
  std::map<model::NodeId, Wanted> wanted_;
  Timer retry_timer_;
};

}  // namespace swarm::dispatcher
