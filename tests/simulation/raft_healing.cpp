// After the faults: a part that can decide gets well and must work; the rest never does.

#include <algorithm>

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

namespace {

// In ticks. A member may have to wait for a snapshot transfer to be given up (100) and for a retry
// of a snapshot or a group after a full disk, a few times; clocks may run slow.
constexpr int kConvergenceTicks = 3'000;
// More than the longest election timeout, with clocks that run 40 % apart.
constexpr int kDisturbanceTicks = 40;

}  // namespace

// Whether `members` hold a quorum of every configuration that may be in force anywhere. What only
// those know who never come back is not: a quorum of it would have others in it.
bool RaftSimulation::can_decide(const std::set<MemberId>& members) const {
  const std::vector<MemberId> present(members.begin(), members.end());
  for (const auto& node : nodes_) {
    if (node->is_gone) {
      continue;
    }
    std::vector<raft::Configuration> configurations = node->configurations;
    if (node->is_up()) {
      const raft::RaftCore& core = node->core();
      configurations = {core.configuration(), core.log().configurations().at(core.committed())};
    }
    for (const raft::Configuration& configuration : configurations) {
      if (!configuration.members.empty() && !has_quorum(configuration, present)) {
        return false;
      }
    }
  }
  return true;
}

// As few as can decide, some of the time; more otherwise.
std::set<MemberId> RaftSimulation::choose_core() {
  std::set<MemberId> core;
  for (const auto& node : nodes_) {
    if (!node->is_gone && !node->is_rotten) {
      core.insert(node->id);
    }
  }
  std::vector<MemberId> order(core.begin(), core.end());
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random_.below(i)]);
  }
  const bool is_minimal = random_.chance(0.5);
  for (const MemberId id : order) {
    std::set<MemberId> fewer = core;
    fewer.erase(id);
    if ((is_minimal || random_.chance(0.3)) && can_decide(fewer)) {
      core = std::move(fewer);
    }
  }
  return core;
}

void RaftSimulation::heal() {
  core_ = choose_core();
  has_faults_ = false;
  network_.calm();
  trace([&] {
    std::string line = "the faults end for members";
    for (const MemberId id : core_) {
      line += " " + std::to_string(id.value());
    }
    return line;
  });
  for (const auto& node : nodes_) {
    const MemberId id = node->id;
    const bool is_well = core_.contains(id);
    // Those outside are dead, or heard and do not hear, or hear and are not heard, or neither.
    const uint64_t fate = random_.below(4);
    if (!is_well && node->is_up() && fate == 0) {
      crash(*node, true);
    }
    for (const MemberId other : ids()) {
      if (is_well && core_.contains(other)) {
        network_.join(id, other);
      } else if (!is_well && other != id) {
        if (fate != 1) {
          network_.cut(id, other);
        }
        if (fate != 2) {
          network_.cut(other, id);
        }
      }
    }
    if (is_well) {
      make_well(*node);
    }
  }
}

void RaftSimulation::make_well(Node& node) {
  node.disk.set_capacity(std::numeric_limits<uint64_t>::max());
  node.disk.refuse_writes(false);
  node.disk.fail_writes(false);
  node.disk.fail_sync_after(std::numeric_limits<uint64_t>::max());
  // A process that is stopped goes on when its time is up: what it missed waits for that instant.
  if (node.is_up()) {
    node.disk_loop->stall_until({});
    node.disk_loop->set_mean(microseconds(100));
  } else {
    open(node);
  }
}

// A change of members that was asked for before may come into force only now, and count on members
// that answered then. Whoever it needs gets well too.
void RaftSimulation::heal_whom_a_late_change_needs() {
  for (const auto& node : nodes_) {
    const MemberId id = node->id;
    if (can_decide(core_)) {
      return;
    }
    if (node->is_gone || node->is_rotten || !core_.insert(id).second) {
      continue;
    }
    trace([&] { return describe(*node) + " gets well too"; });
    for (const MemberId other : core_) {
      network_.join(id, other);
      network_.join(other, id);
    }
    make_well(*node);
  }
  outcome_.is_lost = !can_decide(core_);
}

// What keeps the healed from being at one; empty when nothing does.
std::string RaftSimulation::missing_agreement() {
  Node* const first = serving_leader();
  if (first == nullptr || !core_.contains(first->id)) {
    return "a leader";
  }
  const raft::RaftCore& core = first->core();
  if (!core.is_leader() || !first->proposed.empty() || core.committed() != core.log().last()) {
    return "the last write";
  }
  for (const raft::Member& member : core.configuration().members) {
    if (!core_.contains(member.id)) {
      continue;
    }
    const Node& node = node_of(member.id);
    if (!node.is_up() || node.owner.paused_until > world_.now() ||
        node.core().applied() != core.committed()) {
      return describe(node);
    }
    if (member.is_learner) {
      return "the promotion of " + describe(node);
    }
    if (node.machine->hash() != first->machine->hash()) {
      invariants_.violate(describe(node) + " has another state than the leader");
    }
    if (member.id != first->id && core.progress().at(member.id).inflights().messages() > 0) {
      return "an answer of " + describe(node);
    }
  }
  return {};
}

void RaftSimulation::check_convergence() {
  const uint64_t asked = last_command_;
  std::string missing = "a write";
  for (int tick = 0; tick < kConvergenceTicks; tick += 4) {
    if (Node* const first = serving_leader(); first != nullptr && core_.contains(first->id) &&
                                              first->proposed.empty() &&
                                              (last_command_ < asked + 3 || tick % 100 == 0)) {
      first->owner.is_touched = true;
      propose(*first);
    }
    if (!step_until(world_.now() + plan_.tick * 4)) {
      return;
    }
    heal_whom_a_late_change_needs();
    if (outcome_.is_lost) {
      return;
    }
    missing = network_.is_settled() ? missing_agreement() : "what the network still holds";
    if (missing.empty() && last_command_ >= asked + 3) {
      for (const uint64_t command : acknowledged_) {
        if (!command_at_.contains(command)) {
          invariants_.violate("an acknowledged write is lost: " + std::to_string(command));
        }
      }
      return;
    }
  }
  invariants_.violate("no agreement after the faults; waiting for " + missing);
}

// Nobody but one member has trouble: the others keep their leader and their term.
void RaftSimulation::check_stability() {
  Node* const leading = serving_leader();
  std::set<MemberId> voters;
  for (const MemberId id : leading->core().configuration().voters()) {
    if (core_.contains(id)) {
      voters.insert(id);
    }
  }
  for (const MemberId id : voters) {
    std::set<MemberId> others = core_;
    others.erase(id);
    if (id != leading->id && can_decide(others)) {
      Node& victim = node_of(id);
      (void)(disturb(victim, true, *leading) && disturb(victim, false, *leading));
      return;
    }
  }
}

bool RaftSimulation::disturb(Node& victim, bool is_one_way, const Node& leading) {
  const raft::Term term = leading.core().term();
  trace([&] { return describe(victim) + (is_one_way ? " hears nobody" : " is cut off"); });
  // Nobody at all: a candidate beside the part that goes on may have a later term to tell of.
  for (const MemberId other : ids()) {
    if (other != victim.id) {
      network_.cut(other, victim.id);
      if (!is_one_way) {
        network_.cut(victim.id, other);
      }
    }
  }
  if (!step_until(world_.now() + plan_.tick * kDisturbanceTicks)) {
    return false;
  }
  for (const MemberId other : core_) {
    network_.join(other, victim.id);
    network_.join(victim.id, other);
  }
  if (!step_until(world_.now() + plan_.tick * kDisturbanceTicks)) {
    return false;
  }
  if (!leading.is_up() || !leading.core().is_leader() || leading.core().term() != term) {
    invariants_.violate("a member that " +
                        std::string(is_one_way ? "hears nobody" : "was cut off") +
                        " deposed the leader of the others: " + describe(victim));
    return false;
  }
  return true;
}

}  // namespace swarm::test
