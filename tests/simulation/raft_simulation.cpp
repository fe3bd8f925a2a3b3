#include "raft_simulation.h"

#include <algorithm>
#include <cstdio>

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

namespace {

// Far above what any seed needs: whoever comes near makes events that make events.
constexpr uint64_t kMaxEvents = 2'000'000;
constexpr size_t kMaxWaiting = 20'000;

uint64_t mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * 0x100000001b3 + (hash >> 29);
}

}  // namespace

RaftSimulation::RaftSimulation(uint64_t seed, Options options)
    : options_(options),
      random_(seed),
      plan_(random_),
      invariants_(plan_.limits),
      network_(world_, random_.fork("network"), plan_) {}

RaftSimulation::~RaftSimulation() {
  for (const auto& node : nodes_) {
    node->replica.reset();
  }
  world_.drop_all();
}

std::vector<MemberId> RaftSimulation::ids() const {
  std::vector<MemberId> ids;
  for (const auto& node : nodes_) {
    ids.push_back(node->id);
  }
  return ids;
}

// What takes writes and reads: the state machine that was told last that it leads.
RaftSimulation::Node* RaftSimulation::serving_leader() {
  Node* result = nullptr;
  for (const auto& node : nodes_) {
    if (node->is_up() && !node->leads.is_empty() &&
        (result == nullptr || node->leads > result->leads)) {
      result = node.get();
    }
  }
  return result;
}

void RaftSimulation::look(Node& node) {
  const raft::RaftCore& core = node.core();
  invariants_.look(node.id, node.incarnation, core);
  observe(node);
  outcome_.hash = mix(outcome_.hash, core.term().value() << 32 | core.log().last().value());
  outcome_.hash =
      mix(outcome_.hash, core.committed().value() << 4 | static_cast<uint64_t>(core.role()));
}

// Only what an event touched can have changed.
void RaftSimulation::after_event() {
  ++outcome_.events;
  outcome_.hash =
      mix(outcome_.hash, static_cast<uint64_t>(world_.now().time_since_epoch().count()));
  for (const auto& node : nodes_) {
    if (!node->owner.is_touched) {
      continue;
    }
    node->owner.is_touched = false;
    if (node->is_up()) {
      look(*node);
    }
  }
  if (outcome_.events > kMaxEvents || world_.waiting() > kMaxWaiting) {
    invariants_.violate("events without end");
  }
}

// Runs until `end`; false at a violation, or when the run is to end before.
bool RaftSimulation::step_until(TimePoint end) {
  bool is_over = false;
  world_.schedule(end, [&is_over] { is_over = true; });
  after_event();  // what was asked for since the last one
  while (!is_over && !invariants_.violation()) {
    world_.step();
    after_event();
  }
  if (!is_over) {
    // The event that would end this must not outlive it.
    world_.drop_all();
  }
  return is_over && world_.now().time_since_epoch() < options_.until;
}

// They know each other from the beginning; joining is what change_membership does.
void RaftSimulation::start_group() {
  raft::Configuration configuration;
  for (uint64_t id = 1; id <= plan_.members; ++id) {
    configuration.members.push_back({MemberId(id), "address", false});
  }
  for (size_t i = 0; i < plan_.members; ++i) {
    prepare_disk(make_node(), configuration);
  }
  for (const auto& node : nodes_) {
    open(*node);
  }
}

void RaftSimulation::run_faults() {
  if (!step_until(world_.now() + plan_.tick * 40)) {
    return;
  }
  has_faults_ = true;
  for (int tick = 0; tick < plan_.fault_ticks; ++tick) {
    for (const auto& node : nodes_) {
      check_peers(*node);
    }
    work();
    if (tick % 10 == 0) {
      nemesis();
    }
    if (!step_until(world_.now() + plan_.tick)) {
      return;
    }
  }
}

RaftSimulation::Outcome RaftSimulation::run() {
  trace([&] { return plan_.text(); });
  start_group();
  run_faults();
  const auto goes_on = [this] {
    return !invariants_.violation() && world_.now().time_since_epoch() < options_.until;
  };
  if (goes_on()) {
    heal();
    outcome_.is_lost = !can_decide(core_);
  }
  if (goes_on() && !outcome_.is_lost) {
    check_convergence();
  }
  if (goes_on() && !outcome_.is_lost) {
    check_stability();
  }
  outcome_.violation = invariants_.violation();
  outcome_.acknowledged = acknowledged_.size();
  outcome_.elections = invariants_.elections();
  outcome_.time = world_.now().time_since_epoch();
  return outcome_;
}

void RaftSimulation::print(const std::string& line) const {
  const Duration now = world_.now().time_since_epoch();
  std::printf("%12.6f %s\n", static_cast<double>(now.count()) / 1e9, line.c_str());
  std::fflush(stdout);
}

std::string RaftSimulation::describe(const Node& node) {
  std::string text = "member " + std::to_string(node.id.value());
  if (!node.is_up()) {
    return text + " (down)";
  }
  const raft::RaftCore& core = node.core();
  const auto add = [&text](const char* name, uint64_t value) {
    text += std::string(name) + std::to_string(value);
  };
  add(" (term ", core.term().value());
  add(" vote ", core.vote().value());
  add(" base ", core.log().base().value());
  add(" applied ", core.applied().value());
  add(" handed ", core.handed_to_apply().value());
  add(" committed ", core.committed().value());
  add(" durable ", core.stable().value());
  add(" last ", core.log().last().value());
  return text + ")";
}

}  // namespace swarm::test
