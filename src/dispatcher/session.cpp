#include "dispatcher/session.h"

#include <utility>

namespace swarm::dispatcher {

Session::Session(model::SessionId id, model::NodeId node, std::string address, EventLoop& loop,
                 state::Store& store, state::OutputGate& gate, std::unique_ptr<SessionSink> sink)
    : id_(std::move(id)),
      node_(std::move(node)),
      address_(std::move(address)),
      store_(store),
      gate_(gate),
      sink_(std::move(sink)),
      assignments_(node_),
      changes_timer_(loop) {}

void Session::send(model::AgentDownMessage message) {
  gate_.when_committed(store_.head(), [sink = std::weak_ptr<SessionSink>(sink_),
                                       message = std::move(message)](const Status& status) mutable {
    const std::shared_ptr<SessionSink> open = sink.lock();
    if (status.ok() && open != nullptr) {
      open->send(std::move(message));
    }
  });
}

void Session::close(Status reason) {
  changes_timer_.cancel();
  if (const std::shared_ptr<SessionSink> sink = std::exchange(sink_, nullptr)) {
    sink->close(std::move(reason));
  }
}

void Session::greet(const model::SessionAccepted& accepted) {
  is_greeted_ = true;
  answer(accepted);
  send(assignments_.complete(store_.view()));
}

void Session::answer(const model::SessionAccepted& accepted) {
  role_ = accepted.role;
  patience_ = accepted.heartbeat_period * accepted.heartbeat_misses;
  send(accepted);
}

void Session::set_role(model::Role role) {
  if (is_greeted_ && role != role_) {
    role_ = role;
    send(model::RoleChange{role});
  }
}

void Session::note_task(const model::TaskId& task) {
  if (!is_greeted_) {
    return;
  }
  assignments_.note(task);
  if (assignments_.noted() >= kMaxNotedChanges) {
    // Not here: the transaction that is being observed may hold more.
    changes_timer_.set_after(Duration{0}, [this] { send_changes(); });
  } else if (!changes_timer_.is_set()) {
    changes_timer_.set_after(kAssignmentDelay, [this] { send_changes(); });
  }
}

void Session::send_changes() {
  model::AssignmentSet set = assignments_.changes(store_.view());
  if (!set.assigned.empty() || !set.removed.empty()) {
    send(std::move(set));
  }
}

}  // namespace swarm::dispatcher
