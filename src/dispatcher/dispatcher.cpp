#include "dispatcher/dispatcher.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "base/fault_counter.h"
#include "base/log.h"
#include "dispatcher/clock_watch.h"
#include "dispatcher/heartbeat_monitor.h"
#include "dispatcher/mesh_table_builder.h"
#include "dispatcher/node_presence.h"
#include "dispatcher/node_records.h"
#include "dispatcher/session_table.h"
#include "dispatcher/status_intake.h"

namespace swarm::dispatcher {
namespace {

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

Status silent() {
  return absl::DeadlineExceededError("the node was not heard of in time");
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
  LeaderDispatcher(EventLoop& loop, state::Store& store, state::OutputGate& gate, Random random,
                   MeshProbe probe);
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
  bool has_opened(const model::NodeId& node, const model::ServiceId& service) const override;

 private:
  void heard(Session& session);
  void take_hello(SessionTable::Newcomer& newcomer, model::AgentHello hello);
  void welcome(Session& session, model::NodeDescription description);
  // The newcomer that waits, if there is one, gets the node's session, which nobody has.
  bool let_in_newcomer(const model::NodeId& node);
  // The daemon that has the session was heard of: nobody who waits for it can have it.
  void refuse_newcomer(const Session& held);
  NodePresence::Events presence_events();
  void take_restarting(Session& session);
  void daemon_away(const model::NodeId& node);
  void lost(const std::vector<model::NodeId>& nodes);
  void push_table();
  void observe_task(const state::TaskPtr& before, const state::TaskPtr& after);
  void observe_node(const state::NodePtr& before, const state::NodePtr& after);
  void observe_cluster(const model::Cluster& cluster);
  // The node is not part of the swarm any more.
  void dismiss(const model::NodeId& node);
  // What a session is told now: period, misses, role.
  model::SessionAccepted terms_of(const Session& session) const;
  // How long a node may be silent under these terms.
  Duration patience() const;

  EventLoop& loop_;
  state::Store& store_;
  state::OutputGate& gate_;
  Random random_;
  NodeRecords nodes_;
  StatusIntake statuses_;
  NodePresence presence_;
  ClockWatch clocks_;
  MeshTableBuilder mesh_;
  model::ManagerList managers_;
  SessionTable sessions_;
  // Until when a node is said to be used by two machines.
  HeartbeatMonitor conflicts_;
  FaultCounter conflict_faults_;
  bool is_table_unsent_ = false;
  Timer table_timer_;
};

LeaderDispatcher::LeaderDispatcher(EventLoop& loop, state::Store& store, state::OutputGate& gate,
                                   Random random, MeshProbe probe)
    : loop_(loop),
      store_(store),
      gate_(gate),
      random_(random),
      nodes_(loop, store),
      statuses_(loop, store),
      presence_(loop, store, std::move(probe), presence_events()),
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
      presence_.expect(id, patience() * kNewLeaderGrace);
    }
    if (model::find_condition(node->status, model::ConditionKind::identity) != nullptr) {
      conflicts_.expect(id, kConflictMemory);
    }
  }
}

LeaderDispatcher::~LeaderDispatcher() {
  sessions_.close_all(absl::UnavailableError("this manager is no longer the leader"));
}

Result<model::SessionId> LeaderDispatcher::open(const model::NodeId& node,
                                                const std::string& address,
                                                std::unique_ptr<SessionSink> sink) {
  const state::View view = store_.view();
  const bool is_removed = view.cluster() != nullptr && view.cluster()->removed_nodes.contains(node);
  if (is_removed || view.node(node) == nullptr) {
    return refuse_unknown(node);
  }
  sessions_.close_newcomer(node, displaced());
  model::SessionId id(random_id(random_));
  auto session =
      std::make_unique<Session>(id, node, address, loop_, store_, gate_, std::move(sink));
  if (sessions_.session_of(node) == nullptr) {
    heard(*session);
  }
  sessions_.add_newcomer(std::move(session));
  return id;
}

void LeaderDispatcher::receive(const model::SessionId& id, model::AgentUpMessage message) {
  auto* hello = std::get_if<model::AgentHello>(&message);
  if (SessionTable::Newcomer* newcomer = sessions_.find_newcomer(id)) {
    if (hello != nullptr) {
      take_hello(*newcomer, std::move(*hello));
    } else if (!newcomer->description) {
      sessions_.close_newcomer(
          newcomer->session->node(),
          absl::FailedPreconditionError("the first message of a session is a hello"));
    }
    return;
  }
  Session* session = sessions_.find(id);
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
  if (const auto* beat = std::get_if<model::AgentHeartbeat>(&message)) {
    if (auto clock = clocks_.heard(node, beat->sent_at, loop_.wall_now())) {
      nodes_.set_clock(node, *std::move(clock));
    }
    session->answer(terms_of(*session));
  } else if (auto* reports = std::get_if<std::vector<model::TaskReport>>(&message)) {
    statuses_.receive(node, std::move(*reports));
  } else if (auto* description = std::get_if<model::NodeDescription>(&message)) {
    nodes_.set_description(node, std::move(*description));
  } else if (auto* report = std::get_if<model::NodeReport>(&message)) {
    session->set_ports_as_of(report->ports_as_of);
    nodes_.set_report(node, std::move(*report));
  } else if (std::holds_alternative<model::AgentRestarting>(message)) {
    take_restarting(*session);
  }
}

bool LeaderDispatcher::has_opened(const model::NodeId& node,
                                  const model::ServiceId& service) const {
  const Session* session = sessions_.session_of(node);
  const std::optional<model::Position> since = mesh_.ports_since(store_.view(), service);
  return session != nullptr && since && session->ports_as_of() >= *since;
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
void LeaderDispatcher::take_hello(SessionTable::Newcomer& newcomer, model::AgentHello hello) {
  const model::NodeId node = newcomer.session->node();
  newcomer.session->set_instance(std::move(hello.instance));
  newcomer.description = std::move(hello.description);
  const Session* held = sessions_.session_of(node);
  if (held == nullptr || held->instance() == newcomer.session->instance()) {
    let_in_newcomer(node);
  }
}

bool LeaderDispatcher::let_in_newcomer(const model::NodeId& node) {
  SessionTable::Newcomer* newcomer = sessions_.newcomer_of(node);
  if (newcomer == nullptr || !newcomer->description) {
    return false;
  }
  model::NodeDescription description = *std::move(newcomer->description);
  sessions_.close(node, displaced());
  welcome(sessions_.promote(node), std::move(description));
  return true;
}

void LeaderDispatcher::refuse_newcomer(const Session& held) {
  const model::NodeId node = held.node();
  const SessionTable::Newcomer* newcomer = sessions_.newcomer_of(node);
  if (newcomer == nullptr || !newcomer->description) {
    return;
  }
  const Status refused = refuse_copy(held, *newcomer->session);
  const std::string reason(refused.message());
  if (const uint64_t times = conflict_faults_.failed(reason, loop_.now())) {
    log::error("session refused", {{"node", node.value()}, {"reason", reason}, {"times", times}});
  }
  sessions_.close_newcomer(node, refused);
  conflicts_.expect(node, kConflictMemory);
  nodes_.set_identity_conflict(node, reason);
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
  presence_.heard(session.node(), std::max(session.patience(), patience()));
}

void LeaderDispatcher::take_restarting(Session& session) {
  const model::NodeId node = session.node();
  log::info("agent restarts", {{"node", node.value()}});
  nodes_.set_restarting(node);
  presence_.restarts(node);
  sessions_.close(node, absl::CancelledError("the node restarts"));
}

void LeaderDispatcher::stream_closed(const model::SessionId& id) {
  const std::optional<model::NodeId> node = sessions_.drop(id);
  if (!node) {
    return;
  }
  log::info("agent disconnected", {{"node", node->value()}});
  if (!let_in_newcomer(*node)) {
    nodes_.set_suspect(*node);
  }
}

void LeaderDispatcher::doubt(const model::NodeId& node) {
  if (sessions_.session_of(node) == nullptr) {
    nodes_.set_suspect(node);
  }
}

NodePresence::Events LeaderDispatcher::presence_events() {
  return {
      .replace = [this](const model::NodeId& node) { return let_in_newcomer(node); },
      .on_daemon_away = [this](const model::NodeId& node) { daemon_away(node); },
      .on_lost = [this](const std::vector<model::NodeId>& nodes) { lost(nodes); },
  };
}

void LeaderDispatcher::daemon_away(const model::NodeId& node) {
  if (sessions_.session_of(node) != nullptr) {
    log::warning("daemon of a node does not answer, its mesh does", {{"node", node.value()}});
    sessions_.close(node, silent());
  }
  const state::NodePtr stored = store_.view().node(node);
  if (stored != nullptr && !stored->status.is_restarting) {
    nodes_.set_suspect(node, "the daemon does not answer, but the mesh does");
  }
}

void LeaderDispatcher::lost(const std::vector<model::NodeId>& nodes) {
  for (const model::NodeId& node : nodes) {
    log::warning("node lost", {{"node", node.value()}});
    clocks_.forget(node);
    sessions_.close_both(node, silent());
  }
  nodes_.set_down(nodes);
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
  if (Session* session = sessions_.session_of(task.node)) {
    session->note_task(task.id);
  }
}

void LeaderDispatcher::observe_node(const state::NodePtr& before, const state::NodePtr& after) {
  if (after == nullptr) {
    dismiss(before->id);
    return;
  }
  if (Session* session = sessions_.session_of(after->id)) {
    session->set_role(role_of(*after));
  }
}

void LeaderDispatcher::observe_cluster(const model::Cluster& cluster) {
  for (const model::NodeId& node : cluster.removed_nodes) {
    dismiss(node);
  }
}

void LeaderDispatcher::dismiss(const model::NodeId& node) {
  presence_.forget(node);
  conflicts_.forget(node);
  clocks_.forget(node);
  sessions_.close_both(node, refuse_unknown(node));
}

void LeaderDispatcher::push_table() {
  const bool has_changed = mesh_.refresh(store_.view());
  if (!has_changed && !is_table_unsent_) {
    return;
  }
  is_table_unsent_ = false;
  for (const auto& [node, session] : sessions_.sessions()) {
    if (session->is_greeted()) {
      session->send(mesh_.table());
    }
  }
}

void LeaderDispatcher::set_managers(model::ManagerList managers) {
  managers_ = std::move(managers);
  for (const auto& [node, session] : sessions_.sessions()) {
    if (session->is_greeted()) {
      session->send(managers_);
    }
  }
}

model::SessionAccepted LeaderDispatcher::terms_of(const Session& session) const {
  const model::HeartbeatTerms heartbeat = state::heartbeat_terms(store_.view());
  model::SessionAccepted terms;
  terms.session = session.id();
  terms.heartbeat_period = heartbeat.period;
  terms.heartbeat_misses = heartbeat.misses;
  if (const state::NodePtr node = store_.view().node(session.node())) {
    terms.role = role_of(*node);
  }
  return terms;
}

Duration LeaderDispatcher::patience() const {
  return state::heartbeat_terms(store_.view()).patience();
}

}  // namespace

std::unique_ptr<Dispatcher> Dispatcher::make(EventLoop& loop, state::Store& store,
                                             state::OutputGate& gate, Random random,
                                             MeshProbe probe) {
  return std::make_unique<LeaderDispatcher>(loop, store, gate, random, std::move(probe));
}

}  // namespace swarm::dispatcher
