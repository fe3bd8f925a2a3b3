#include "agent_machines.h"

#include <utility>

namespace swarm::test {

namespace {

using Opened = Result<std::unique_ptr<api::Gateway::AgentSession>>;

// Both ends of one stream between an agent and a manager. Shared by whatever is under way.
struct Connection {
  Connection(MachineNetwork& net, std::string agent_name, std::string manager_name)
      : network(net), agent(std::move(agent_name)), manager(std::move(manager_name)) {}

  MachineNetwork& network;
  const std::string agent;
  const std::string manager;
  std::shared_ptr<MachineNetwork::Channel> up = std::make_shared<MachineNetwork::Channel>();
  std::shared_ptr<MachineNetwork::Channel> down = std::make_shared<MachineNetwork::Channel>();
  agent::DispatcherClient::Events events;
  bool is_agent_there = true;
  bool is_manager_there = true;
  std::unique_ptr<api::Gateway::AgentSession> session;
  std::vector<model::AgentUpMessage> early;  // before the session is open
};
using ConnectionPtr = std::shared_ptr<Connection>;

// The manager's end is over.
void hang_up(const ConnectionPtr& connection, Status reason, std::string leader) {
  if (!std::exchange(connection->is_manager_there, false)) {
    return;
  }
  connection->network.send_on(
      connection->down, connection->manager, connection->agent,
      [connection, reason = std::move(reason), leader = std::move(leader)]() mutable {
        // The session is not ended from within a call of the dispatcher.
        connection->session.reset();
        if (connection->is_agent_there) {
          connection->events.on_closed(std::move(reason), std::move(leader));
        }
      });
}

class Sink final : public dispatcher::SessionSink {
 public:
  explicit Sink(ConnectionPtr connection) : connection_(std::move(connection)) {}
  ~Sink() override { hang_up(connection_, absl::UnavailableError("connection reset"), ""); }

  void send(model::AgentDownMessage message) override {
    if (!connection_->is_manager_there) {
      return;
    }
    connection_->network.send_on(
        connection_->down, connection_->manager, connection_->agent,
        [connection = connection_, message = std::move(message)]() mutable {
          if (connection->is_agent_there) {
            connection->events.on_message(std::move(message));
          }
        });
  }
  void close(Status reason) override { hang_up(connection_, std::move(reason), ""); }

 private:
  const ConnectionPtr connection_;
};

class Stream final : public agent::DispatcherStream {
 public:
  explicit Stream(ConnectionPtr connection) : connection_(std::move(connection)) {}
  ~Stream() override {
    connection_->is_agent_there = false;
    connection_->network.send_on(connection_->up, connection_->agent, connection_->manager,
                                 [connection = connection_] {
                                   connection->is_manager_there = false;
                                   connection->session.reset();
                                 });
  }
  void send(model::AgentUpMessage message) override {
    connection_->network.send_on(
        connection_->up, connection_->agent, connection_->manager,
        [connection = connection_, message = std::move(message)]() mutable {
          if (!connection->is_manager_there) {
            return;
          }
          if (connection->session != nullptr) {
            connection->session->receive(std::move(message));
          } else {
            connection->early.push_back(std::move(message));
          }
        });
  }

 private:
  const ConnectionPtr connection_;
};

void on_opened(const ConnectionPtr& connection, Opened opened, const std::string& leader) {
  if (!opened.ok()) {
    hang_up(connection, opened.status(), leader);
    return;
  }
  if (!connection->is_manager_there) {
    return;
  }
  connection->session = *std::move(opened);
  for (model::AgentUpMessage& message : std::exchange(connection->early, {})) {
    connection->session->receive(std::move(message));
  }
}

}  // namespace

class AgentMachines::Client final : public agent::DispatcherClient {
 public:
  Client(MachineNetwork& network, ManagerMachines& managers, const Machine& self)
      : network_(network), managers_(managers), name_(self.name), node_(self.node) {}

  std::unique_ptr<agent::DispatcherStream> open(const std::string& address,
                                                Events events) override {
    auto connection = std::make_shared<Connection>(network_, name_, address);
    connection->events = std::move(events);
    network_.send_on(connection->up, name_, address, [this, connection] { accept(connection); });
    return std::make_unique<Stream>(connection);
  }

 private:
  void accept(const ConnectionPtr& connection) {
    ManagerMachines::Machine* const manager = managers_.by_name(connection->manager);
    if (manager == nullptr || !manager->is_up()) {
      hang_up(connection, absl::UnavailableError("connection refused"), "");
      return;
    }
    const std::weak_ptr<manager::ManagerGateway> gateway = manager->gateway;
    manager->gateway->open_session(node_, "10.0.0.1", std::make_unique<Sink>(connection),
                                   [connection, gateway](Opened opened) {
                                     const auto live = gateway.lock();
                                     on_opened(connection, std::move(opened),
                                               live == nullptr ? "" : live->leader().address);
                                   });
  }

  MachineNetwork& network_;
  ManagerMachines& managers_;
  const std::string name_;
  const model::NodeId node_;
};

AgentMachines::AgentMachines(World& world, MachineNetwork& network, ManagerMachines& managers,
                             Random random, runtime::ScriptOf scripts)
    : world_(world),
      loop_(world),
      network_(network),
      managers_(managers),
      random_(random),
      scripts_(std::move(scripts)) {}

AgentMachines::~AgentMachines() {
  for (const auto& machine : machines_) {
    machine->agent.reset();
  }
  world_.drop_all();
}

void AgentMachines::add(const model::NodeId& node) {
  Machine& machine =
      *machines_.emplace_back(std::make_unique<Machine>(loop_, random_.fork("executor"), scripts_));
  machine.name = "worker-" + std::to_string(machines_.size());
  machine.node = node;
  (void)machine.disk.make_directories("/state");
  machine.record = std::make_unique<manager::AssignmentFile>(machine.disk, "/state/agent");
  machine.client = std::make_unique<Client>(network_, managers_, machine);
  for (const auto& manager : managers_.all()) {
    machine.managers.addresses.push_back(manager->name);
  }
  start(machine);
}

void AgentMachines::start(Machine& machine) {
  if (machine.is_up()) {
    return;
  }
  agent::Agent::Options options;
  options.node = machine.node;
  options.swarm = managers_.swarm();
  options.self.hostname = machine.name;
  options.self.os = "linux";
  options.self.architecture = "x86_64";
  options.managers = machine.managers;
  agent::Agent::Handlers handlers;
  handlers.on_managers = [&machine](const model::ManagerList& list) { machine.managers = list; };
  handlers.on_role = [](model::Role) {};
  machine.agent = std::make_unique<agent::Agent>(std::move(options), std::move(handlers), loop_,
                                                 *machine.record, machine.executor, machine.mesh,
                                                 *machine.client, random_.fork("agent"));
  machine.agent->start();
}

void AgentMachines::stop(Machine& machine, bool reboots) {
  machine.agent.reset();
  if (reboots) {
    machine.executor.reboot();
    machine.disk.crash(random_);
  }
}

}  // namespace swarm::test
