#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "manager/assignment_file.h"
#include "manager_machines.h"
#include "runtime/fake/fake_executor.h"

namespace swarm::test {

// A mesh without connections: every drain is over at once.
class IdleMesh final : public agent::MeshControl {
 public:
  explicit IdleMesh(EventLoop& loop) : loop_(loop) {}

  void set_table(const model::MeshTable& table) override {
    loop_.post(anchor_.bind([this, position = table.position] { listener_({{}, position}); }));
  }
  void admit(const model::TaskId& task, const model::ServiceId&,
             const std::vector<agent::TaskAddress>& addresses) override {
    admitted_[task] = addresses;
  }
  void retire(const model::TaskId& task, Duration, absl::AnyInvocable<void()> done) override {
    admitted_.erase(task);
    loop_.post(std::move(done));
  }
  void set_port_listener(absl::AnyInvocable<void(const PortReport&)> listener) override {
    listener_ = std::move(listener);
  }
  void set_condition_listener(absl::AnyInvocable<void(const std::string&)>) override {}

  bool serves(const model::TaskId& task, uint16_t target) const {
    const auto found = admitted_.find(task);
    return found != admitted_.end() &&
           std::ranges::any_of(found->second,
                               [target](const auto& address) { return address.target == target; });
  }

 private:
  EventLoop& loop_;
  absl::AnyInvocable<void(const PortReport&)> listener_;
  std::map<model::TaskId, std::vector<agent::TaskAddress>> admitted_;
  Anchor anchor_;
};

// Workers of a swarm: the real agent with its real record file, over scripted containers and the
// simulated network. Containers outlive a restart of the agent, not one of the machine.
class AgentMachines {
 public:
  struct Machine {
    Machine(EventLoop& loop, Random random, runtime::ScriptOf scripts)
        : executor(loop, random, std::move(scripts)), mesh(loop) {}

    bool is_up() const { return agent != nullptr; }

    std::string name;
    model::NodeId node;
    model::ManagerList managers;  // as last heard
    SimulatedFileSystem disk;
    runtime::FakeExecutor executor;
    IdleMesh mesh;
    std::unique_ptr<agent::AssignmentStore> record;
    std::unique_ptr<agent::DispatcherClient> client;
    std::unique_ptr<agent::Agent> agent;  // null while it is down
  };

  AgentMachines(World& world, MachineNetwork& network, ManagerMachines& managers, Random random,
                runtime::ScriptOf scripts);
  ~AgentMachines();

  void add(const model::NodeId& node);
  // swarmd ends; with `reboots` the machine, too.
  void stop(Machine& machine, bool reboots);
  void start(Machine& machine);

  const std::vector<std::unique_ptr<Machine>>& all() const { return machines_; }

 private:
  class Client;

  World& world_;
  SimulatedLoop loop_;
  MachineNetwork& network_;
  ManagerMachines& managers_;
  Random random_;
  const runtime::ScriptOf scripts_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace swarm::test
