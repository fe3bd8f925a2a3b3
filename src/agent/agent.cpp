#include "agent/agent.h"

#include <utility>

#include "agent/manager_session.h"
#include "agent/status_reporter.h"
#include "agent/worker.h"
#include "base/log.h"

namespace swarm::agent {

struct Agent::Impl {
  Impl(Options given, Handlers handlers_given, EventLoop& loop, AssignmentStore& store,
       Executor& executor_given, MeshControl& mesh_given, DispatcherClient& client, Random random)
      : options(std::move(given)),
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
        worker(loop, executor, mesh, store, options.swarm, options.node, random.fork("worker"),
               worker_events()),
        describe_timer(loop) {}

  ManagerSession::Handlers session_handlers();
  Worker::Events worker_events();
  void start();
  void describe();
  void described(const EngineDescription& engine);
  void receive(model::AgentDownMessage message);

  Options options;
  Handlers handlers;
  model::NodeDescription description;
  Executor& executor;
  MeshControl& mesh;
  ManagerSession session;
  StatusReporter reporter;
  Worker worker;
  bool is_worker_ready = false;
  bool is_described = false;
  bool is_session_started = false;
  bool is_leaving = false;
  Timer describe_timer;
  Anchor anchor;
};

ManagerSession::Handlers Agent::Impl::session_handlers() {
  return {
      .on_open = [this](const model::SessionAccepted&) { reporter.connected(); },
      .on_message = [this](model::AgentDownMessage message) { receive(std::move(message)); },
      .on_role = [this](model::Role role) { handlers.on_role(role); },
      .on_closed = [this](const Status&) { reporter.disconnected(); },
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
  mesh.set_problem_listener(
      anchor.bind([this](const std::vector<MeshControl::PortProblem>& problems) {
        worker.set_port_problems(problems);
      }));
  worker.start([this] {
    is_worker_ready = true;
    describe();
  });
}

void Agent::Impl::describe() {
  executor.describe(anchor.bind([this](Result<EngineDescription> engine) {
    if (engine.ok()) {
      described(*engine);
    } else {
      log::warning("engine did not describe itself", {{"error", engine.status().message()}});
    }
    describe_timer.set_after(engine.ok() ? kDescribePeriod : kDescribeRetryWait,
                             [this] { describe(); });
  }));
}

void Agent::Impl::described(const EngineDescription& engine) {
  description.runtime = engine.runtime;
  description.engine_version = engine.version;
  description.resources = engine.resources;
  description.engine_labels = engine.labels;
  if (is_leaving) {
    return;
  }
  if (!is_session_started) {
    // Not before the engine answers: a node that cannot run tasks must not be given any.
    is_session_started = true;
    session.start(description, options.managers);
    return;
  }
  session.set_description(description);
}

void Agent::Impl::receive(model::AgentDownMessage message) {
  if (const auto* set = std::get_if<model::AssignmentSet>(&message)) {
    worker.apply(*set);
    session.set_applied(set->position);
  } else if (const auto* table = std::get_if<model::MeshTable>(&message)) {
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
