#include "dispatcher/session_table.h"

#include <utility>

#include "base/check.h"

namespace swarm::dispatcher {

void SessionTable::add_newcomer(std::unique_ptr<Session> session) {
  const model::NodeId node = session->node();
  nodes_[session->id()] = node;
  const bool is_new = newcomers_.try_emplace(node, std::move(session), std::nullopt).second;
  SWARM_CHECK(is_new, "a node has one newcomer");
}

Session& SessionTable::promote(const model::NodeId& node) {
  const auto newcomer = newcomers_.extract(node);
  return *(sessions_[node] = std::move(newcomer.mapped().session));
}

Session* SessionTable::find(const model::SessionId& id) const {
  const auto found = nodes_.find(id);
  Session* session = found == nodes_.end() ? nullptr : session_of(found->second);
  return session != nullptr && session->id() == id ? session : nullptr;
}

Session* SessionTable::session_of(const model::NodeId& node) const {
  const auto found = sessions_.find(node);
  return found == sessions_.end() ? nullptr : found->second.get();
}

SessionTable::Newcomer* SessionTable::find_newcomer(const model::SessionId& id) {
  const auto found = nodes_.find(id);
  Newcomer* newcomer = found == nodes_.end() ? nullptr : newcomer_of(found->second);
  return newcomer != nullptr && newcomer->session->id() == id ? newcomer : nullptr;
}

SessionTable::Newcomer* SessionTable::newcomer_of(const model::NodeId& node) {
  const auto found = newcomers_.find(node);
  return found == newcomers_.end() ? nullptr : &found->second;
}

void SessionTable::close_both(const model::NodeId& node, const Status& reason) {
  close(node, reason);
  close_newcomer(node, reason);
}

void SessionTable::close(const model::NodeId& node, Status reason) {
  if (const auto closed = sessions_.extract(node)) {
    nodes_.erase(closed.mapped()->id());
    closed.mapped()->close(std::move(reason));
  }
}

void SessionTable::close_newcomer(const model::NodeId& node, Status reason) {
  if (const auto closed = newcomers_.extract(node)) {
    nodes_.erase(closed.mapped().session->id());
    closed.mapped().session->close(std::move(reason));
  }
}

void SessionTable::close_all(const Status& reason) {
  for (const auto& [node, session] : sessions_) {
    session->close(reason);
  }
  for (const auto& [node, newcomer] : newcomers_) {
    newcomer.session->close(reason);
  }
}

std::optional<model::NodeId> SessionTable::drop(const model::SessionId& id) {
  const auto known = nodes_.extract(id);
  if (known.empty()) {
    return std::nullopt;
  }
  const model::NodeId& node = known.mapped();
  const Session* session = session_of(node);
  if (session == nullptr || session->id() != id) {
    newcomers_.erase(node);
    return std::nullopt;
  }
  sessions_.erase(node);
  return node;
}

}  // namespace swarm::dispatcher
