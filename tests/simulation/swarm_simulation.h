#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent_machines.h"
#include "swarm_invariants.h"

namespace swarm::test {

// What a run is made of, drawn from its seed. Each class of faults is off in half of the runs, so
// that it does not hide what the others find.
struct SwarmPlan {
  explicit SwarmPlan(Random& random);

  size_t managers = 3;
  size_t agents = 3;
  double drop = 0;
  Duration max_delay{};
  double partition_rate = 0;  // per second, like the rates below
  double manager_crash_rate = 0;
  double power_loss = 0;  // how many of the crashes are one
  double agent_restart_rate = 0;
  double reboot_rate = 0;
  double container_crash_rate = 0;
  double clock_step_rate = 0;
  double engine_loss_rate = 0;
  bool has_bad_tasks = false;  // images that crash, never work or cannot be started
  ManagerMachines::Pace pace;
};

// A whole swarm under virtual time: managers, agents and operators, first with faults, then
// without, and everything must come to rest as declared. Everything follows from the seed.
class SwarmSimulation {
 public:
  struct Outcome {
    std::optional<std::string> violation;
    uint64_t hash = 0;  // of everything that happened
    uint64_t events = 0;
    size_t acknowledged = 0;
    size_t terms = 0;
    size_t crashes = 0;
  };

  explicit SwarmSimulation(uint64_t seed);
  ~SwarmSimulation();
  Outcome run();

 private:
  // swarm_simulation.cpp
  void start_swarm();
  bool step_until(TimePoint end);
  void after_event();
  void check_rest();
  bool come_to_rest();

  // swarm_places.cpp
  void check_places();
  bool update_all();

  // swarm_nemesis.cpp
  void nemesis();
  void cut_some();
  void crash_manager(ManagerMachines::Machine& machine);
  void restart_agent(AgentMachines::Machine& machine);
  void crash_container();
  void step_clock(ManagerMachines::Machine& machine);
  void lose_engine(AgentMachines::Machine& machine);
  void heal();

  // swarm_operator.cpp
  void operate();
  void create_service(ManagerMachines::Machine& manager);
  void change_service(ManagerMachines::Machine& manager, const std::string& name);
  void read_services(ManagerMachines::Machine& manager);
  void write(ManagerMachines::Machine& manager, const std::string& service,
             api::Gateway::Write use_case);

  // Runs `call` after a while.
  void later(Duration most, Callback call);

  World world_;
  Random random_;
  SwarmPlan plan_;
  MachineNetwork network_;
  ManagerMachines managers_;
  bool has_faults_ = false;
  AgentMachines agents_;
  SwarmInvariants invariants_;
  std::set<std::string> services_;  // asked for
  std::set<std::string> removed_;   // asked to go
  uint64_t last_operation_ = 0;
  Outcome outcome_;
};

}  // namespace swarm::test
