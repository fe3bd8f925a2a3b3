#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/mesh_control.h"
#include "base/event_loop.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// Changes are reported this long after the first of them.
inline constexpr Duration kNodeReportDelay = milliseconds(20);

// Keeps what is wrong with this node, and which published ports it serves, and tells the manager
// when that changes. That the ports of a table are open is told when the ports of the swarm have
// changed or the session is new: whoever waits for a port waits for that word. On the agent's loop.
class NodeReporter {
 public:
  // `send` is called only while connected.
  using Send = std::function<void(model::NodeReport)>;

  NodeReporter(EventLoop& loop, Send send);

  // An empty reason: the condition does not hold.
  void set_condition(model::ConditionKind kind, std::string reason);
  void set_ports(const MeshControl::PortReport& ports);
  // A table has come from the manager, and was given to the mesh.
  void note_table(const model::MeshTable& table);

  void connected();
  void disconnected();

 private:
  void send_soon();
  void flush();

  EventLoop& loop_;
  Send send_;
  bool is_connected_ = false;
  std::map<model::ConditionKind, std::string> reasons_;
  std::vector<model::ClosedPort> closed_ports_;
  model::Position opened_ = 0;    // the table whose ports the mesh has opened
  model::Position expected_ = 0;  // what the manager waits for; 0: nothing
  bool is_first_table_ = true;    // of the session
  std::map<model::ServiceId, std::vector<model::PublishedPort>> ports_;
  Timer timer_;
};

}  // namespace swarm::agent
