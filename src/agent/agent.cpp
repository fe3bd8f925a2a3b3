#include "agent/agent.h"

#include <utility>

#include "agent/manager_session.h"
#include "agent/node_reporter.h"
#include "agent/status_reporter.h"
#include "agent/worker.h"
#include "base/log.h"

namespace swarm::agent {

struct Agent::Impl {
  Impl(Options given, Handlers handlers_given, EventLoop& loop_given, AssignmentStore& store,
       Executor& executor_given, MeshControl& mesh_given, DispatcherClient& client, Random random)
      : loop(loop_given),
        options(std::move(given)),
        handlers(std::move(handlers_given)),
        description(options.self),
        executor(executor_given),
        mesh(mesh_given),
        session(loop, client, random.fork("session"), session_handlers()),
        reporter(loop,
                 [this](auto reports) {
                   worker.flush();
                   session.send(std::move(reports));
                 }),
        node_reporter(loop, [this](auto report) { session.send(std::move(report)); }),
        worker(loop, executor, mesh, store, options.swarm, options.node, random.fork("worker"),
               worker_events()),
        describe_timer(loop),
        announce_timer(loop),
        restart_timer(loop) {}

  ManagerSession::Handlers session_handlers();
  Worker::Events worker_events();
  void start();
  void describe();
  void described(const EngineDescription& engine);
  // Looks for a manager, with what is known of the node by now.
  void announce();
  void update_engine_condition();
  void on_closed();
  void finish_restart();
  void assign(const model::AssignmentSet& set);
  void receive(model::AgentDownMessage message);

  EventLoop& loop;
  Options options;
  Handlers handlers;
  model::NodeDescription description;
  Executor& executor;
  MeshControl& mesh;
  ManagerSession session;
  StatusReporter reporter;
  NodeReporter node_reporter;
  Worker worker;
  // What was assigned before the engine had listed what exists.
  std::optional<model::AssignmentSet> held;
  bool is_worker_ready = false;
  bool is_session_started = false;
  bool is_leaving = false;
  // Why the engine is away: by its own account, and because it did not describe itself.
  std::string engine_trouble;
  std::string describe_trouble;
  std::function<void()> on_restart_known;
  Timer describe_timer;
  Timer announce_timer;
  Timer restart_timer;
  Anchor anchor;
};

namespace {

void merge(const model::AssignmentSet& change, model::AssignmentSet* set) {
  const auto forget = [set](const model::TaskId& task) {
    std::erase_if(set->assigned, [&](const auto& one) { return one.task == task; });
    std::erase(set->removed, task);
  };
  for (const model::Assignment& assignment : change.assigned) {
    forget(assignment.task);
    set->assigned.push_back(assignment);
  }
  for (const model::TaskId& task : change.removed) {
    forget(task);
    set->removed.push_back(task);
  }
  set->position = change.position;
}

}  // namespace

ManagerSession::Handlers Agent::Impl::session_handlers() {
  return {
      .on_open =
          [this](const model::SessionAccepted&) {
            reporter.connected();
            node_reporter.connected();
          },
      .on_message = [this](model::AgentDownMessage message) { receive(std::move(message)); },
      .on_role = [this](model::Role role) { handlers.on_role(role); },
      .on_closed = [this](const Status&) { on_closed(); },
      .on_removed = [this](const Status&) { handlers.on_removed(); },
  };
}

Worker::Events Agent::Impl::worker_events() {
  return {
      .on_status = [this](const model::TaskId& task,
                          const model::TaskStatus& status) { reporter.report(task, status); },
      .on_gone = [this](const model::TaskId& task) { reporter.forget(task); },
  };
}

void Agent::Impl::start() {
  executor.set_listener(anchor.bind([this](const model::TaskId& task, const ExecutorEvent& event) {
    worker.observe(task, event);
  }));
  executor.set_condition_listener(anchor.bind([this](const EngineCondition& engine) {
    engine_trouble = engine.is_ok ? "" : engine.reason;
    update_engine_condition();
  }));
  mesh.set_port_listener(anchor.bind([this](const MeshControl::PortReport& ports) {
    worker.set_port_problems(ports.problems);
    node_reporter.set_ports(ports);
  }));
  mesh.set_condition_listener(anchor.bind([this](const std::string& reason) {
    node_reporter.set_condition(model::ConditionKind::mesh, reason);
  }));
  worker.start([this] {
    is_worker_ready = true;
    if (held) {
      assign(*std::exchange(held, std::nullopt));
    }
  });
  announce_timer.set_after(kDescribePatience, [this] {
    describe_trouble = "the engine does not answer";
    update_engine_condition();
    announce();
  });
  describe();
}

void Agent::Impl::update_engine_condition() {
  node_reporter.set_condition(model::ConditionKind::engine,
                              engine_trouble.empty() ? describe_trouble : engine_trouble);
}

void Agent::Impl::describe() {
  executor.describe(anchor.bind([this](Result<EngineDescription> engine) {
    if (engine.ok()) {
      described(*engine);
    } else if (describe_trouble != engine.status().message()) {
      log::warning("engine did not describe itself", {{"error", engine.status().message()}});
      describe_trouble = std::string(engine.status().message());
    }
    update_engine_condition();
    announce();
    describe_timer.set_after(engine.ok() ? kDescribePeriod : kDescribeRetryWait,
                             [this] { describe(); });
  }));
}

void Agent::Impl::described(const EngineDescription& engine) {
  description.runtime = engine.runtime;
  description.engine_version = engine.version;
  description.resources = engine.resources;
  description.engine_labels = engine.labels;
  describe_trouble.clear();
  if (!is_leaving && is_session_started) {
    session.set_description(description);
  }
}

void Agent::Impl::announce() {
  announce_timer.cancel();
  if (!is_leaving && !std::exchange(is_session_started, true)) {
    session.start(description, options.managers);
  }
}

void Agent::Impl::on_closed() {
  reporter.disconnected();
  node_reporter.disconnected();
  if (on_restart_known != nullptr) {
    finish_restart();
  }
}

void Agent::Impl::finish_restart() {
  restart_timer.cancel();
  loop.post(anchor.bind([this, done = std::exchange(on_restart_known, nullptr)] {
    session.stop();
    done();
  }));
}

// A set that is complete replaces what is held; changes of a later one are merged into it.
void Agent::Impl::assign(const model::AssignmentSet& set) {
  if (is_worker_ready) {
    worker.apply(set);
    session.set_applied(set.position);
  } else if (set.is_complete || !held) {
    held = set;
  } else {
    merge(set, &*held);
  }
}

void Agent::Impl::receive(model::AgentDownMessage message) {
  if (const auto* set = std::get_if<model::AssignmentSet>(&message)) {
    assign(*set);
  } else if (const auto* table = std::get_if<model::MeshTable>(&message)) {
    node_reporter.note_table(*table);
    mesh.set_table(*table);
  } else if (const auto* managers = std::get_if<model::ManagerList>(&message)) {
    handlers.on_managers(*managers);
  }
}

Agent::Agent(Options options, Handlers handlers, EventLoop& loop, AssignmentStore& store,
             Executor& executor, MeshControl& mesh, DispatcherClient& client, Random random)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handlers), loop, store, executor,
                                   mesh, client, random)) {}

Agent::~Agent() = default;

void Agent::start() {
  impl_->start();
}

void Agent::leave(StopLimits limits, std::function<void()> done) {
  impl_->is_leaving = true;
  impl_->session.stop();
  impl_->reporter.disconnected();
  impl_->node_reporter.disconnected();
  impl_->worker.remove_all(limits, std::move(done));
}

void Agent::set_manager_refusal(std::string reason) {
  if (reason == impl_->description.manager_refusal) {
    return;
  }
  impl_->description.manager_refusal = std::move(reason);
  if (impl_->is_session_started && !impl_->is_leaving) {
    impl_->session.set_description(impl_->description);
  }
}

void Agent::announce_restart(std::function<void()> done) {
  if (!impl_->session.is_open()) {
    done();
    return;
  }
  impl_->on_restart_known = std::move(done);
  impl_->session.send(model::AgentRestarting{});
  // The manager ends the session when it has taken note.
  impl_->restart_timer.set_after(kRestartingLimit, [this] { impl_->finish_restart(); });
}

void Agent::set_condition(model::ConditionKind kind, std::string reason) {
  impl_->node_reporter.set_condition(kind, std::move(reason));
}

Duration Agent::longest_stop(StopLimits limits) const {
  return impl_->worker.longest_stop(limits);
}

bool Agent::is_connected() const {
  return impl_->session.is_open();
}

const std::string& Agent::manager() const {
  return impl_->session.manager();
}

const model::TaskStatus* Agent::status(const model::TaskId& task) const {
  const TaskRunner* runner = impl_->worker.find(task);
  return runner == nullptr ? nullptr : &runner->status();
}

}  // namespace swarm::agent
