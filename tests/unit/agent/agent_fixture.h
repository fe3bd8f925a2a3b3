#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "fakes.h"
#include "runtime/fake/fake_executor.h"

namespace swarm::agent {

// A node: an engine, a mesh and a disk that outlive the agent, and the agent, which can be killed
// and started again.
struct AgentTest : testing::Test {
  test::World world;
  test::SimulatedLoop loop{world};
  std::vector<std::string> journal;
  FakeMesh mesh{loop, journal};
  runtime::FakeScript script;
  runtime::FakeExecutor engine{loop, Random(1),
                               [this](const auto&, const auto&) { return script; }};
  FakeAssignmentStore store;
  FakeManagers managers{loop};
  std::vector<model::ManagerList> known_managers;
  std::vector<model::Role> roles;
  int removals = 0;
  uint64_t seed = 11;
  std::unique_ptr<Agent> agent;

  void SetUp() override {
    engine.set_journal([this](std::string call) { journal.push_back(std::move(call)); });
  }

  void start() {
    Agent::Options options;
    options.node = model::NodeId("n1");
    options.swarm = model::SwarmId("swarm");
    options.self.hostname = "host";
    options.self.mesh_address = "127.0.0.1:7946";
    options.managers = {{"m1", "m2"}};
    Agent::Handlers handlers{
        .on_managers = [this](const auto& list) { known_managers.push_back(list); },
        .on_role = [this](model::Role role) { roles.push_back(role); },
        .on_removed = [this] { ++removals; }};
    agent = std::make_unique<Agent>(options, handlers, loop, store, engine, mesh, managers,
                                    Random(seed++));
    agent->start();
  }
  void kill() { agent.reset(); }

  // Started, accepted by a manager, and given this.
  void connect(std::vector<model::Assignment> assigned) {
    if (agent == nullptr) {
      start();
    }
    ASSERT_TRUE(world.run_until([&] { return managers.has_stream(); }));
    // No silence limit: these tests do not play the answers to heartbeats.
    managers.accept(seconds(1), 1'000'000);
    managers.send(complete_set(1, std::move(assigned)));
  }
  bool await(const std::string& task, model::TaskState state) {
    return world.run_until([&] {
      const auto status = managers.reported(TaskId(task));
      return status && status->state == state;
    });
  }
  bool is_running(const std::string& task) { return engine.running().contains(TaskId(task)); }
};

}  // namespace swarm::agent
