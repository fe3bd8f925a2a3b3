#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/backoff.h"
#include "agent/dispatcher_client.h"
#include "base/event_loop.h"
#include "base/fault_counter.h"

namespace swarm::agent {

// After a session broke the next attempt is quick: most often the leader has only moved.
inline constexpr Duration kFirstRetryWait = milliseconds(50);
inline constexpr Duration kMinReconnectWait = milliseconds(100);
inline constexpr Duration kMaxReconnectWait = seconds(2);
// After another machine with the identity of this node was preferred more than once: a person has
// to act.
inline constexpr Duration kDisplacedWait = seconds(10);
// How long a manager may take to accept a hello: connecting, and one commit of the leader.
inline constexpr Duration kAcceptTimeout = seconds(3);
// Redirects followed at once before waiting: two managers may each take the other for the leader.
inline constexpr int kMaxRedirects = 3;

// Keeps one session with the leader's dispatcher: finds the leader among the managers, says hello,
// sends heartbeats, and starts again elsewhere when the stream ends or the leader falls silent
// (every heartbeat is answered). On the agent's loop.
class ManagerSession {
 public:
  struct Handlers {
    std::function<void(const model::SessionAccepted&)> on_open;
    std::function<void(model::AgentDownMessage)> on_message;  // all but SessionAccepted
    // Roles come with every heartbeat's answer and with RoleChange.
    std::function<void(model::Role)> on_role;
    std::function<void(const Status&)> on_closed;  // only after on_open
    // This node was removed from the swarm: nobody is asked any more. After on_closed.
    std::function<void(const Status&)> on_removed;
  };

  ManagerSession(EventLoop& loop, DispatcherClient& client, Random random, Handlers handlers);

  // `managers`: where to begin, the likely leader first.
  void start(model::NodeDescription description, model::ManagerList managers);
  void stop();

  void set_managers(const model::ManagerList& managers);
  // Sent at once when connected.
  void set_description(const model::NodeDescription& description);
  // Told with every heartbeat.
  void set_applied(model::Position position) { applied_ = position; }
  // Dropped unless open.
  void send(model::AgentUpMessage message);

  bool is_open() const { return is_open_; }
  // The manager it is connected to or tries; empty before start.
  const std::string& manager() const { return manager_; }

 private:
  void connect(const std::string& address);
  void connect_next();
  void receive(model::AgentDownMessage message);
  void accept(const model::SessionAccepted& accepted);
  void close(const Status& status, const std::string& leader_address);
  Duration wait_after(const Status& status);
  void log_refusal(const Status& status, bool was_open);
  void end_for_good(const Status& status);
  void tell_description();
  void drop_stream();
  void beat();
  void expect_word_within(Duration limit);

  EventLoop& loop_;
  DispatcherClient& client_;
  Handlers handlers_;
  Backoff backoff_;
  // Of this process: model::AgentHello.
  const std::string instance_;
  model::NodeDescription description_;
  model::NodeDescription told_;  // what this stream has said of the node
  std::vector<std::string> managers_;
  size_t next_manager_ = 0;
  std::string manager_;
  std::unique_ptr<DispatcherStream> stream_;
  uint64_t attempt_ = 0;  // changes with every stream opened or dropped
  bool is_open_ = false;
  int redirects_ = 0;
  int failures_ = 0;
  model::SessionId session_;
  Duration heartbeat_period_{};
  Duration silence_limit_{};
  model::Position applied_ = 0;
  FaultCounter refusals_;
  Timer reconnect_timer_;
  Timer heartbeat_timer_;
  Timer silence_timer_;
  // Callbacks of the present stream; reset with every stream.
  Anchor stream_anchor_;
};

}  // namespace swarm::agent
