#include "dispatcher/dispatcher.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "base/fault_counter.h"
#include "base/log.h"
#include "dispatcher/heartbeat_monitor.h"
#include "dispatcher/mesh_table_builder.h"
#include "dispatcher/node_records.h"
#include "dispatcher/session.h"
#include "dispatcher/status_intake.h"

namespace swarm::dispatcher {
namespace {

// The leader handles at most about a thousand heartbeats a second: the period grows with the nodes.
constexpr Duration kHeartbeatCost = milliseconds(1);
// A table goes out this long after the first change of it.
constexpr Duration kMeshTableDelay = milliseconds(10);
// How long after the last attempt of the other machine a node is said to be used by two.
constexpr Duration kConflictMemory = minutes(1);
// Agents need time to find a new leader.
constexpr int kNewLeaderGrace = 2;

// What the node is to be now. A manager stays one until the group has let it go: it would take its
// vote with it before the others can do without.
model::Role role_of(const model::Node& node) {
  return node.manager.has_value() ? model::Role::manager : node.spec.role;
}

Status refuse_unknown(const model::NodeId& node) {
  return absl::PermissionDeniedError("node " + node.value() +
                                     " is not part of this swarm: it must join again");
}

Status displaced() {
  return absl::AbortedError("the node has opened a newer session");
}

Status refuse_copy(const Session& held, const Session& newcomer) {
  return absl::AlreadyExistsError(
      "two machines use the identity of node " + held.node().value() + ": one at " +
      held.address() + ", the other, which is refused, at " + newcomer.address() +
      "; if its state folder was copied, run 'swarmctl swarm leave --force' on the copy and let it "
      "join as a node of its own");
}

class LeaderDispatcher final : public Dispatcher {
 public:
  LeaderDispatcher(EventLoop& loop, state::Store& store, state::OutputGate& gate, Random random);
  ~LeaderDispatcher() override;

  Result<model::SessionId> open(const model::NodeId& node, const std::string& address,
                                std::unique_ptr<SessionSink> sink) override;
  void receive(const model::SessionId& session, model::AgentUpMessage message) override;
  void stream_closed(const model::SessionId& session) override;
  void doubt(const model::NodeId& node) override;
  void observe(const std::vector<state::Change>& changes) override;
  void set_managers(model::ManagerList managers) override;
  const model::TaskStatus* soft_status(const model::TaskId& task) const override {
    return statuses_.soft(task);
  }

 private:
  struct Newcomer {
    std::unique_ptr<Session> session;
    // Said while another daemon had the session.
    std::optional<model::NodeDescription> description;
  };

  Session* find(const model::SessionId& id);
  Newcomer* find_newcomer(const model::SessionId& id);
  Session* session_of(const model::NodeId& node);
  void close(const model::NodeId& node, Status reason);
  void heard(Session& session);
  void take_hello(Newcomer& newcomer, model::AgentHello hello);
  void welcome(Session& session, model::NodeDescription description);
  // The newcomer that waits, if there is one, gets the node's session, which nobody has.
  bool let_in_newcomer(const model::NodeId& node);
  // The daemon that has the session was heard of: nobody who waits for it can have it.
  void refuse_newcomer(const Session& held);
  void close_newcomer(const model::NodeId& node, Status reason);
  void lost(const std::vector<model::NodeId>& nodes);
  void push_table();
  void observe_task(const state::TaskPtr& before, const state::TaskPtr& after);
  void observe_node(const state::NodePtr& before, const state::NodePtr& after);
  void observe_cluster(const model::Cluster& cluster);
  // What a session is told now: period, misses, role.
  model::SessionAccepted terms_of(const Session& session) const;
  model::SessionAccepted heartbeat_terms() const;
  // How long a node may be silent under these terms.
  Duration patience() const;

  EventLoop& loop_;
  state::Store& store_;
  state::OutputGate& gate_;
  Random random_;
  NodeRecords nodes_;
  StatusIntake statuses_;
  HeartbeatMonitor heartbeats_;
  MeshTableBuilder mesh_;
  model::ManagerList managers_;
  // Those that have said hello. A newcomer has not yet, or waits for the end of such a session.
  std::map<model::NodeId, std::unique_ptr<Session>> sessions_;
  std::map<model::NodeId, Newcomer> newcomers_;
  std::map<model::SessionId, model::NodeId> nodes_by_session_;
  // Until when a node is said to be used by two machines.
  HeartbeatMonitor conflicts_;
  FaultCounter conflict_faults_;
  bool is_table_unsent_ = false;
  Timer table_timer_;
};

LeaderDispatcher::LeaderDispatcher(EventLoop& loop, state::Store& store, state::OutputGate& gate,
                                   Random random)
    : loop_(loop),
      store_(store),
      gate_(gate),
      random_(random),
      nodes_(loop, store),
      statuses_(loop, store),
      heartbeats_(loop, [this](const std::vector<model::NodeId>& nodes) { lost(nodes); }),
      conflicts_(loop,
                 [this](const std::vector<model::NodeId>& nodes) {
                   for (const model::NodeId& node : nodes) nodes_.set_identity_conflict(node, "");
                 }),
      table_timer_(loop) {
  const state::View view = store_.view();
  mesh_.load(view);
  for (const auto& [id, node] : view.nodes()) {
    if (node->status.state == model::NodeState::ready ||
        node->status.state == model::NodeState::suspect) {
      heartbeats_.expect(id, patience() * kNewLeaderGrace);
    }
    if (model::find_condition(node->status, model::ConditionKind::identity) != nullptr) {
      conflicts_.expect(id, kConflictMemory);
    }
  }
}

LeaderDispatcher::~LeaderDispatcher() {
  const Status reason = absl::UnavailableError("this manager is no longer the leader");
  for (const auto& [node, session] : sessions_) {
    session->close(reason);
  }
  for (const auto& [node, newcomer] : newcomers_) {
    newcomer.session->close(reason);
  }
}

Result<model::SessionId> LeaderDispatcher::open(const model::NodeId& node,
                                                const std::string& address,
                                                std::unique_ptr<SessionSink> sink) {
  const state::View view = store_.view();
  const bool is_removed = view.cluster() != nullptr && view.cluster()->removed_nodes.contains(node);
  if (is_removed || view.node(node) == nullptr) {
    return refuse_unknown(node);
  }
  close_newcomer(node, displaced());
  model::SessionId id(random_id(random_));
  auto session =
      std::make_unique<Session>(id, node, address, loop_, store_, gate_, std::move(sink));
  nodes_by_session_[id] = node;
  if (session_of(node) == nullptr) {
    heard(*session);
  }
  newcomers_[node] = {std::move(session), std::nullopt};
  return id;
}

void LeaderDispatcher::receive(const model::SessionId& id, model::AgentUpMessage message) {
  auto* hello = std::get_if<model::AgentHello>(&message);
  if (Newcomer* newcomer = find_newcomer(id)) {
    if (hello != nullptr) {
      take_hello(*newcomer, std::move(*hello));
    } else if (!newcomer->description) {
      close_newcomer(newcomer->session->node(),
                     absl::FailedPreconditionError("the first message of a session is a hello"));
    }
    return;
  }
  Session* session = find(id);
  if (session == nullptr) {
    return;
  }
  const model::NodeId node = session->node();
  heard(*session);
  refuse_newcomer(*session);
  if (hello != nullptr) {
    welcome(*session, std::move(hello->description));
    return;
  }
  if (std::holds_alternative<model::AgentHeartbeat>(message)) {
    session->answer(terms_of(*session));
  } else if (auto* reports = std::get_if<std::vector<model::TaskReport>>(&message)) {
    statuses_.receive(node, std::move(*reports));
  } else if (auto* description = std::get_if<model::NodeDescription>(&message)) {
    nodes_.set_description(node, std::move(*description));
  }
}

namespace {

// Where others reach the node, as it advertises it. Where the connection comes from may be another
// of its addresses, or one of a translator on the way.
std::string address_of(const model::NodeDescription& description, const Session& session) {
  std::string host = description.mesh_address.substr(0, description.mesh_address.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return host.empty() ? session.address() : host;
}

}  // namespace

// A daemon that connects again has been away itself; another one has to wait for its end.
void LeaderDispatcher::take_hello(Newcomer& newcomer, model::AgentHello hello) {
  const model::NodeId node = newcomer.session->node();
  newcomer.session->set_instance(std::move(hello.instance));
  newcomer.description = std::move(hello.description);
  const Session* held = session_of(node);
  if (held == nullptr || held->instance() == newcomer.session->instance()) {
    let_in_newcomer(node);
  }
}

bool LeaderDispatcher::let_in_newcomer(const model::NodeId& node) {
  const auto found = newcomers_.find(node);
  if (found == newcomers_.end() || !found->second.description) {
    return false;
  }
  Newcomer newcomer = std::move(found->second);
  newcomers_.erase(found);
  close(node, displaced());
  Session& session = *(sessions_[node] = std::move(newcomer.session));
  welcome(session, *std::move(newcomer.description));
  return true;
}

void LeaderDispatcher::refuse_newcomer(const Session& held) {
  const auto found = newcomers_.find(held.node());
  if (found == newcomers_.end() || !found->second.description) {
    return;
  }
  const model::NodeId node = held.node();
  const Status refused = refuse_copy(held, *found->second.session);
  const std::string reason(refused.message());
  if (const uint64_t times = conflict_faults_.failed(reason, loop_.now())) {
    log::error("session refused", {{"node", node.value()}, {"reason", reason}, {"times", times}});
  }
  close_newcomer(node, refused);
  conflicts_.expect(node, kConflictMemory);
  nodes_.set_identity_conflict(node, reason);
}

void LeaderDispatcher::close_newcomer(const model::NodeId& node, Status reason) {
  const auto found = newcomers_.find(node);
  if (found == newcomers_.end()) {
    return;
  }
  const std::unique_ptr<Session> closed = std::move(found->second.session);
  newcomers_.erase(found);
  nodes_by_session_.erase(closed->id());
  closed->close(std::move(reason));
}

void LeaderDispatcher::welcome(Session& session, model::NodeDescription description) {
  const std::string address = address_of(description, session);
  if (!session.is_greeted()) {
    log::info("agent connected", {{"node", session.node().value()}, {"address", address}});
  }
  nodes_.set_ready(session.node(), std::move(description), address);
  session.greet(terms_of(session));
  if (mesh_.refresh(store_.view())) {
    is_table_unsent_ = true;
  }
  session.send(mesh_.table());
  session.send(managers_);
  heard(session);
}

void LeaderDispatcher::heard(Session& session) {
  // The agent may still beat at the period it was told before.
  heartbeats_.expect(session.node(), std::max(session.patience(), patience()));
}

void LeaderDispatcher::stream_closed(const model::SessionId& id) {
  const auto known = nodes_by_session_.extract(id);
  if (known.empty()) {
    return;
  }
  const model::NodeId node = known.mapped();
  if (const auto session = sessions_.find(node);
      session == sessions_.end() || session->second->id() != id) {
    newcomers_.erase(node);
    return;
  }
  sessions_.erase(node);
  log::info("agent disconnected", {{"node", node.value()}});
  if (!let_in_newcomer(node)) {
    nodes_.set_suspect(node);
  }
}

void LeaderDispatcher::doubt(const model::NodeId& node) {
  if (!sessions_.contains(node)) {
    nodes_.set_suspect(node);
  }
}

void LeaderDispatcher::lost(const std::vector<model::NodeId>& nodes) {
  const Status reason = absl::DeadlineExceededError("the node was not heard of in time");
  std::vector<model::NodeId> down;
  for (const model::NodeId& node : nodes) {
    close(node, reason);
    if (!let_in_newcomer(node)) {
      log::warning("node lost", {{"node", node.value()}});
      close_newcomer(node, reason);
      down.push_back(node);
    }
  }
  nodes_.set_down(down);
}

void LeaderDispatcher::close(const model::NodeId& node, Status reason) {
  const auto found = sessions_.find(node);
  if (found == sessions_.end()) {
    return;
  }
  const std::unique_ptr<Session> closed = std::move(found->second);
  sessions_.erase(found);
  nodes_by_session_.erase(closed->id());
  closed->close(std::move(reason));
}

void LeaderDispatcher::observe(const std::vector<state::Change>& changes) {
  const state::View view = store_.view();
  for (const state::Change& change : changes) {
    if (const auto* task = std::get_if<state::TaskPtr>(&change.before)) {
      observe_task(*task, std::get<state::TaskPtr>(change.after));
    } else if (const auto* node = std::get_if<state::NodePtr>(&change.before)) {
      observe_node(*node, std::get<state::NodePtr>(change.after));
    } else if (const auto* cluster = std::get_if<state::ClusterPtr>(&change.after)) {
      if (*cluster != nullptr) {
        observe_cluster(**cluster);
      }
    }
    if (mesh_.observe(view, change) && !table_timer_.is_set()) {
      table_timer_.set_after(kMeshTableDelay, [this] { push_table(); });
    }
  }
}

void LeaderDispatcher::observe_task(const state::TaskPtr& before, const state::TaskPtr& after) {
  const model::Task& task = after != nullptr ? *after : *before;
  statuses_.observe(task.id, after.get());
  if (Session* session = session_of(task.node)) {
    session->note_task(task.id);
  }
}

void LeaderDispatcher::observe_node(const state::NodePtr& before, const state::NodePtr& after) {
  if (after == nullptr) {
    heartbeats_.forget(before->id);
    conflicts_.forget(before->id);
    close(before->id, refuse_unknown(before->id));
    close_newcomer(before->id, refuse_unknown(before->id));
    return;
  }
  if (Session* session = session_of(after->id)) {
    session->set_role(role_of(*after));
  }
}

void LeaderDispatcher::observe_cluster(const model::Cluster& cluster) {
  for (const model::NodeId& node : cluster.removed_nodes) {
    heartbeats_.forget(node);
    close(node, refuse_unknown(node));
    close_newcomer(node, refuse_unknown(node));
  }
}

void LeaderDispatcher::push_table() {
  const bool has_changed = mesh_.refresh(store_.view());
  if (!has_changed && !is_table_unsent_) {
    return;
  }
  is_table_unsent_ = false;
  for (const auto& [node, session] : sessions_) {
    if (session->is_greeted()) {
      session->send(mesh_.table());
    }
  }
}

void LeaderDispatcher::set_managers(model::ManagerList managers) {
  managers_ = std::move(managers);
  for (const auto& [node, session] : sessions_) {
    if (session->is_greeted()) {
      session->send(managers_);
    }
  }
}

Session* LeaderDispatcher::find(const model::SessionId& id) {
  const auto found = nodes_by_session_.find(id);
  Session* session = found == nodes_by_session_.end() ? nullptr : session_of(found->second);
  return session != nullptr && session->id() == id ? session : nullptr;
}

LeaderDispatcher::Newcomer* LeaderDispatcher::find_newcomer(const model::SessionId& id) {
  const auto found = nodes_by_session_.find(id);
  const auto newcomer =
      found == nodes_by_session_.end() ? newcomers_.end() : newcomers_.find(found->second);
  const bool is_this = newcomer != newcomers_.end() && newcomer->second.session->id() == id;
  return is_this ? &newcomer->second : nullptr;
}

Session* LeaderDispatcher::session_of(const model::NodeId& node) {
  const auto found = sessions_.find(node);
  return found == sessions_.end() ? nullptr : found->second.get();
}

model::SessionAccepted LeaderDispatcher::heartbeat_terms() const {
  const model::Cluster defaults;
  const state::ClusterPtr& stored = store_.view().cluster();
  const model::Cluster& cluster = stored != nullptr ? *stored : defaults;
  model::SessionAccepted terms;
  // By all nodes, not by those connected: after a failover they all come at once.
  terms.heartbeat_period =
      std::max<Duration>(cluster.heartbeat_period, kHeartbeatCost * store_.view().nodes().size());
  terms.heartbeat_misses = std::max(cluster.heartbeat_misses, 1u);
  return terms;
}

model::SessionAccepted LeaderDispatcher::terms_of(const Session& session) const {
  model::SessionAccepted terms = heartbeat_terms();
  terms.session = session.id();
  if (const state::NodePtr node = store_.view().node(session.node())) {
    terms.role = role_of(*node);
  }
  return terms;
}

Duration LeaderDispatcher::patience() const {
  const model::SessionAccepted terms = heartbeat_terms();
  return terms.heartbeat_period * terms.heartbeat_misses;
}

}  // namespace

std::unique_ptr<Dispatcher> Dispatcher::make(EventLoop& loop, state::Store& store,
                                             state::OutputGate& gate, Random random) {
  return std::make_unique<LeaderDispatcher>(loop, store, gate, random);
}

}  // namespace swarm::dispatcher
