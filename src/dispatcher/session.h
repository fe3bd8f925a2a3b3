#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/event_loop.h"
#include "dispatcher/assignment_tracker.h"
#include "dispatcher/session_sink.h"
#include "state/output_gate.h"
#include "state/store.h"

namespace swarm::dispatcher {

// Changes of assignments go out this long after the first of them: later ones never delay it.
inline constexpr Duration kAssignmentDelay = milliseconds(20);
// Or at once when there are so many.
inline constexpr size_t kMaxNotedChanges = 200;

// The leader's side of one agent's stream. Whatever it sends waits for the commit of the state it
// was computed from. On the control loop.
class Session {
 public:
  Session(model::SessionId id, model::NodeId node, std::string address, EventLoop& loop,
          state::Store& store, state::OutputGate& gate, std::unique_ptr<SessionSink> sink);

  const model::SessionId& id() const { return id_; }
  const model::NodeId& node() const { return node_; }
  // Of the node, as seen by this manager.
  const std::string& address() const { return address_; }

  void send(model::AgentDownMessage message);
  // Ends the stream at once; what is still held back is dropped.
  void close(Status reason);

  // The daemon at the other end, as its hello names it.
  const std::string& instance() const { return instance_; }
  void set_instance(std::string instance) { instance_ = std::move(instance); }

  // The agent has said hello and been told everything.
  bool is_greeted() const { return is_greeted_; }
  // Sends the complete set. From now on changes of tasks are sent as they are noted.
  void greet(const model::SessionAccepted& accepted);
  void note_task(const model::TaskId& task);

  // Answers a heartbeat; tells the present period and role.
  void answer(const model::SessionAccepted& accepted);
  // Sent when it differs from what the agent was told last.
  void set_role(model::Role role);
  // The newest table whose ports are open on the node, as it says.
  model::Position ports_as_of() const { return ports_as_of_; }
  void set_ports_as_of(model::Position table) { ports_as_of_ = table; }
  // The longest the agent may be silent by what it was told.
  Duration patience() const { return patience_; }

 private:
  void send_changes();

  model::SessionId id_;
  model::NodeId node_;
  std::string address_;
  state::Store& store_;
  state::OutputGate& gate_;
  std::shared_ptr<SessionSink> sink_;  // shared with outputs the gate holds, weakly
  AssignmentTracker assignments_;
  std::string instance_;
  bool is_greeted_ = false;
  model::Role role_ = model::Role::worker;
  Duration patience_{};
  model::Position ports_as_of_ = 0;
  Timer changes_timer_;
};

}  // namespace swarm::dispatcher
