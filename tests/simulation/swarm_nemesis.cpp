// The faults of the simulation.

#include <utility>

#include "swarm_simulation.h"

namespace swarm::test {

SwarmPlan::SwarmPlan(Random& random) {
  const auto sometimes = [&random](double most) {
    return random.chance(0.5) ? random.unit() * most : 0.0;
  };
  managers = random.chance(0.8) ? 3 : 1;
  agents = 2 + random.below(2);
  drop = sometimes(0.1);
  max_delay = milliseconds(1 + random.below(random.chance(0.3) ? 100 : 10));
  partition_rate = sometimes(0.3);
  manager_crash_rate = sometimes(0.15);
  power_loss = random.unit();
  agent_restart_rate = sometimes(0.15);
  reboot_rate = sometimes(0.05);
  container_crash_rate = sometimes(0.3);
  clock_step_rate = sometimes(0.1);
  has_bad_tasks = random.chance(0.5);
  pace.hop = microseconds(random.below(random.chance(0.3) ? 2'000 : 50));
  pace.disk = microseconds(random.below(random.chance(0.3) ? 20'000 : 1'000));
  pace.snapshot_log_bytes = random.chance(0.5) ? 10'000 + random.below(30'000) : 1 << 20;
  engine_loss_rate = sometimes(0.1);
}

// Once a second.
void SwarmSimulation::nemesis() {
  if (random_.chance(plan_.partition_rate)) {
    cut_some();
  } else if (random_.chance(0.2)) {
    network_.join_all();
  }
  for (const auto& machine : managers_.all()) {
    if (random_.chance(plan_.clock_step_rate)) {
      step_clock(*machine);
    }
    if (machine->is_up() && random_.chance(plan_.manager_crash_rate)) {
      later(seconds(1), [this, &machine = *machine] { crash_manager(machine); });
    }
  }
  for (const auto& machine : agents_.all()) {
    if (random_.chance(plan_.agent_restart_rate)) {
      later(seconds(1), [this, &machine = *machine] { restart_agent(machine); });
    }
    if (random_.chance(plan_.engine_loss_rate)) {
      lose_engine(*machine);
    }
  }
  if (random_.chance(plan_.container_crash_rate)) {
    crash_container();
  }
}

// One machine alone, or single directions.
void SwarmSimulation::cut_some() {
  network_.join_all();
  std::vector<std::string> names;
  for (const auto& machine : managers_.all()) {
    names.push_back(machine->name);
  }
  for (const auto& machine : agents_.all()) {
    names.push_back(machine->name);
  }
  const std::string alone = names[random_.below(names.size())];
  const bool is_alone = random_.chance(0.6);
  for (const std::string& from : names) {
    for (const std::string& to : names) {
      if (from != to && (is_alone ? (from == alone || to == alone) : random_.chance(0.2))) {
        network_.cut(from, to);
      }
    }
  }
}

void SwarmSimulation::crash_manager(ManagerMachines::Machine& machine) {
  if (!has_faults_ || !machine.is_up()) {
    return;
  }
  ++outcome_.crashes;
  managers_.crash(machine, random_.chance(plan_.power_loss));
  later(random_.chance(0.5) ? milliseconds(100) : seconds(5),
        [this, &machine] { managers_.restart(machine); });
}

void SwarmSimulation::restart_agent(AgentMachines::Machine& machine) {
  if (!has_faults_ || !machine.is_up()) {
    return;
  }
  agents_.stop(machine, random_.chance(plan_.reboot_rate));
  later(random_.chance(0.5) ? milliseconds(100) : seconds(8),
        [this, &machine] { agents_.start(machine); });
}

// Somebody sets the clock, or it was wrong from the start. It stays so: faults of clocks do not
// heal.
void SwarmSimulation::step_clock(ManagerMachines::Machine& machine) {
  const auto most = static_cast<uint64_t>(Duration(hours(2)).count());
  machine.clock_offset = Duration(random_.below(most)) - hours(1);
}

// Its containers go on, and it may be away for longer than the swarm waits.
void SwarmSimulation::lose_engine(AgentMachines::Machine& machine) {
  machine.executor.set_answering(false);
  later(random_.chance(0.7) ? seconds(3) : seconds(40),
        [&machine] { machine.executor.set_answering(true); });
}

void SwarmSimulation::crash_container() {
  AgentMachines::Machine& machine = *agents_.all()[random_.below(agents_.all().size())];
  const std::set<model::TaskId> running = machine.executor.running();
  if (running.empty()) {
    return;
  }
  auto chosen = running.begin();
  std::advance(chosen, static_cast<ptrdiff_t>(random_.below(running.size())));
  const uint64_t kind = random_.below(4);
  if (kind == 0) {
    machine.executor.fail_health(*chosen);
  } else if (kind == 1) {
    machine.executor.lose(*chosen);
  } else {
    machine.executor.crash(*chosen, static_cast<int32_t>(random_.below(2)));
  }
}

void SwarmSimulation::heal() {
  has_faults_ = false;
  network_.join_all();
  network_.set_faults(0, milliseconds(1));
  for (const auto& machine : managers_.all()) {
    managers_.restart(*machine);
  }
  for (const auto& machine : agents_.all()) {
    agents_.start(*machine);
    machine->executor.set_answering(true);
  }
}

}  // namespace swarm::test
