#pragma once

#include <map>
#include <memory>
#include <optional>

#include "dispatcher/session.h"

namespace swarm::dispatcher {

// The sessions of the nodes, at most two a node: the one that has said hello, and a newcomer, which
// has not yet or waits for the end of the other. On the control loop.
class SessionTable {
 public:
  struct Newcomer {
    std::unique_ptr<Session> session;
    // Said while another daemon had the session.
    std::optional<model::NodeDescription> description;
  };
  using Sessions = std::map<model::NodeId, std::unique_ptr<Session>>;

  // The node has no newcomer.
  void add_newcomer(std::unique_ptr<Session> session);
  // The newcomer, which has said hello, has the node's session from now on.
  Session& promote(const model::NodeId& node);

  // Null when there is none.
  Session* find(const model::SessionId& id) const;
  Session* session_of(const model::NodeId& node) const;
  Newcomer* find_newcomer(const model::SessionId& id);
  Newcomer* newcomer_of(const model::NodeId& node);
  const Sessions& sessions() const { return sessions_; }

  // Nothing happens where there is none.
  void close_both(const model::NodeId& node, const Status& reason);
  void close(const model::NodeId& node, Status reason);
  void close_newcomer(const model::NodeId& node, Status reason);
  void close_all(const Status& reason);
  // Its stream is gone. The node when it was its session, and not that of a newcomer.
  std::optional<model::NodeId> drop(const model::SessionId& id);

 private:
  Sessions sessions_;
  std::map<model::NodeId, Newcomer> newcomers_;
  std::map<model::SessionId, model::NodeId> nodes_;
};

}  // namespace swarm::dispatcher
