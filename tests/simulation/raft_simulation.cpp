#include "raft_simulation.h"

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

namespace {

constexpr Duration kStartTime = seconds(30);
constexpr Duration kFaultTime = seconds(6);
// A lagging member may have to give up on a lost snapshot transfer once before it gets the next.
constexpr Duration kConvergenceTime = seconds(60);
constexpr uint64_t kMaxEvents = 200'000;

uint64_t mix(uint64_t hash, uint64_t value) {
  return (hash ^ value) * 0x100000001b3 + (hash >> 29);
}

}  // namespace

RaftSimulation::RaftSimulation(uint64_t seed) : random_(seed), plan_(random_) {}

RaftSimulation::~RaftSimulation() = default;

RaftSimulation::Node* RaftSimulation::leader() {
  Node* result = nullptr;
  for (auto& [id, node] : nodes_) {
    if (node->is_up() && !node->leads.is_empty() &&
        (result == nullptr || node->leads > result->leads)) {
      result = node.get();
    }
  }
  return result;
}

void RaftSimulation::after_event() {
  ++outcome_.events;
  outcome_.hash =
      mix(outcome_.hash, static_cast<uint64_t>(world_.now().time_since_epoch().count()));
  for (auto& [id, node] : nodes_) {
    if (!node->is_up()) {
      continue;
    }
    const raft::RaftCore& core = node->core();
    invariants_.look(id, node->incarnation, core);
    outcome_.hash = mix(outcome_.hash, core.term().value() << 32 | core.log().last().value());
    outcome_.hash =
        mix(outcome_.hash, core.committed().value() << 4 | static_cast<uint64_t>(core.role()));
  }
  if (outcome_.events > kMaxEvents) {
    invariants_.violate("events without end");
  }
}

// Runs until `end`; false at a violation.
bool RaftSimulation::step_until(TimePoint end) {
  bool is_over = false;
  world_.schedule(end, [&is_over] { is_over = true; });
  while (!is_over && !invariants_.violation()) {
    world_.step();
    after_event();
  }
  return !invariants_.violation();
}

void RaftSimulation::start_group() {
  make_node(true);
  const TimePoint end = world_.now() + kStartTime;
  while (!invariants_.violation()) {
    Node* const first = leader();
    const size_t members = first == nullptr ? 0 : first->replica->members().size();
    size_t voters = 0;
    for (size_t i = 0; i < members; ++i) {
      voters += first->replica->members()[i].is_learner ? 0 : 1;
    }
    if (voters == plan_.members) {
      return;
    }
    if (first != nullptr && members == voters && nodes_.size() == members) {
      Node& fresh = make_node(false);
      first->replica->add_member({fresh.id, "address", true}, [](const Status&) {});
    }
    if (world_.now() > end) {
      invariants_.violate("the group did not come together");
    }
    step_until(world_.now() + milliseconds(10));
  }
}

RaftSimulation::Outcome RaftSimulation::run() {
  start_group();
  has_faults_ = true;
  const TimePoint end = world_.now() + kFaultTime;
  for (int round = 0; world_.now() < end && !invariants_.violation(); ++round) {
    propose();
    if (round % 3 == 0) {
      read();
    }
    if (round % 5 == 0) {
      nemesis();
    }
    step_until(world_.now() + milliseconds(20));
  }
  heal();
  check_agreement();
  outcome_.violation = invariants_.violation();
  outcome_.acknowledged = acknowledged_.size();
  outcome_.elections = invariants_.elections();
  return outcome_;
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
  add(" base ", core.log().base().value());
  add(" applied ", core.applied().value());
  add(" handed ", core.handed_to_apply().value());
  add(" committed ", core.committed().value());
  add(" durable ", core.stable().value());
  add(" last ", core.log().last().value());
  return text + ")";
}

// Without faults, within a bound: a leader, a write, and every member of its group has the same
// list, with everything that was ever acknowledged.
void RaftSimulation::check_agreement() {
  const TimePoint end = world_.now() + kConvergenceTime;
  bool agrees = false;
  std::string waiting = "no leader";
  while (!agrees && world_.now() < end && !invariants_.violation()) {
    for (auto& [id, node] : nodes_) {
      if (!node->is_up() && !removed_.contains(id)) {
        open(*node);
      }
    }
    Node* const first = leader();
    if (first != nullptr && first->proposed.empty()) {
      propose();
    }
    step_until(world_.now() + milliseconds(200));
    if (first == nullptr || !first->is_up() || first->leads.is_empty()) {
      continue;
    }
    agrees = first->proposed.empty();
    waiting = agrees ? "" : "the last write";
    for (const raft::Member& member : first->replica->members()) {
      const Node& node = *nodes_.at(member.id);
      if (!node.is_up() || node.machine->items() != first->machine->items()) {
        agrees = false;
        waiting += " " + describe(node);
      }
    }
  }
  if (!agrees) {
    invariants_.violate("no agreement after the faults; waiting for " + waiting);
    return;
  }
  std::set<std::string> present;
  for (const ListMachine::Item& item : leader()->machine->items()) {
    if (!present.insert(item.text).second) {
      invariants_.violate("applied twice: " + item.text.substr(0, 20));
    }
  }
  for (const std::string& text : acknowledged_) {
    if (!present.contains(text)) {
      invariants_.violate("an acknowledged write is lost: " + text.substr(0, 20));
    }
  }
}

}  // namespace swarm::test
