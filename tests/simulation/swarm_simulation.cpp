#include "swarm_simulation.h"

#include <utility>

namespace swarm::test {

namespace {

constexpr Duration kFaultTime = seconds(30);
// Restart delays double, and a rollout in which nothing works waits for its progress deadline.
constexpr Duration kRestTime = minutes(20);
constexpr Duration kUntilSilenceIsNoticed = seconds(15);
constexpr uint64_t kMaxEvents = 3'000'000;

uint64_t mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * 0x100000001b3 + (hash >> 29);
}

// Some images do not work while there are faults; afterwards everything does.
runtime::ScriptOf scripts(const SwarmPlan& plan, const bool& has_faults, Random random) {
  const runtime::ScriptOf bad = runtime::random_script(random);
  return
      [&plan, &has_faults, bad](const agent::TaskLabels& labels, const model::TaskTemplate& task) {
        return plan.has_bad_tasks && has_faults ? bad(labels, task) : runtime::FakeScript{};
      };
}

}  // namespace

SwarmSimulation::SwarmSimulation(uint64_t seed)
    : random_(seed),
      plan_(random_),
      network_(world_, random_.fork("network")),
      managers_(world_, network_, random_.fork("managers"), plan_.pace),
      agents_(world_, network_, managers_, random_.fork("agents"),
              scripts(plan_, has_faults_, random_.fork("scripts"))),
      invariants_(managers_, agents_) {
  managers_.on_failure = [this](const std::string& what) { invariants_.violate(what); };
}

// Whoever waits for an answer is told that there is none, while everything is still there.
SwarmSimulation::~SwarmSimulation() {
  for (const auto& machine : agents_.all()) {
    agents_.stop(*machine, false);
  }
  for (const auto& machine : managers_.all()) {
    if (machine->is_up()) {
      managers_.crash(*machine, false);
    }
  }
  world_.drop_all();
}

void SwarmSimulation::later(Duration most, Callback call) {
  const Duration delay(random_.below(static_cast<uint64_t>(most.count())));
  world_.schedule(world_.now() + delay, std::move(call));
}

void SwarmSimulation::start_swarm() {
  bool is_complete = managers_.bootstrap();
  while (is_complete && managers_.size() < plan_.managers) {
    is_complete = managers_.join();
  }
  for (size_t i = 0; is_complete && i < plan_.agents; ++i) {
    const model::NodeId node = managers_.admit_worker();
    is_complete = !node.is_empty();
    agents_.add(node);
  }
  if (!is_complete) {
    invariants_.violate("the swarm did not come together");
  }
}

void SwarmSimulation::after_event() {
  ++outcome_.events;
  invariants_.look();
  outcome_.hash =
      mix(outcome_.hash, static_cast<uint64_t>(world_.now().time_since_epoch().count()));
  for (const auto& machine : managers_.all()) {
    if (machine->is_up()) {
      const state::Store& store = machine->manager->store();
      outcome_.hash = mix(outcome_.hash, store.head() << 32 | store.committed());
    }
  }
  if (outcome_.events > kMaxEvents) {
    invariants_.violate("events without end");
  }
}

// Runs until `end`; false at a violation.
bool SwarmSimulation::step_until(TimePoint end) {
  bool is_over = false;
  world_.schedule(end, [&is_over] { is_over = true; });
  while (!is_over && !invariants_.violation()) {
    world_.step();
    after_event();
  }
  return !invariants_.violation();
}

SwarmSimulation::Outcome SwarmSimulation::run() {
  start_swarm();
  has_faults_ = true;
  network_.set_faults(plan_.drop, plan_.max_delay);
  const TimePoint end = world_.now() + kFaultTime;
  for (int round = 0; world_.now() < end && !invariants_.violation(); ++round) {
    operate();
    if (round % 5 == 0) {
      nemesis();
    }
    if (round % 10 == 0) {
      invariants_.compare_stores();
    }
    step_until(world_.now() + milliseconds(200));
  }
  heal();
  check_rest();
  outcome_.violation = invariants_.violation();
  outcome_.acknowledged = invariants_.writes();
  outcome_.terms = invariants_.terms();
  return outcome_;
}

// Without faults, within a bound, everything is as declared, nothing acknowledged is lost, and all
// managers have the same state.
void SwarmSimulation::check_rest() {
  // A stream that a fault broke is noticed only when heartbeats are missed: then tasks may move.
  if (!come_to_rest() || !step_until(world_.now() + kUntilSilenceIsNoticed) || !come_to_rest()) {
    return;
  }
  check_places();
  invariants_.compare_stores();
  for (const auto& machine : managers_.all()) {
    invariants_.check_present(machine->manager->store().view(), invariants_.acknowledged(),
                              removed_, machine->name);
  }
}

bool SwarmSimulation::come_to_rest() {
  const TimePoint end = world_.now() + kRestTime;
  std::string unrest = "everything";
  while (!unrest.empty() && world_.now() < end && !invariants_.violation()) {
    step_until(world_.now() + seconds(1));
    unrest = invariants_.unrest();
  }
  if (!unrest.empty()) {
    invariants_.violate("the swarm does not come to rest: " + unrest);
  }
  return !invariants_.violation();
}

}  // namespace swarm::test
