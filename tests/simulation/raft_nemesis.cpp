// The faults and the workload of the simulation.

#include <algorithm>

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

SimulationPlan::SimulationPlan(Random& random) {
  const auto sometimes = [&random](double most) {
    return random.chance(0.5) ? random.unit() * most : 0.0;
  };
  members = random.chance(0.6) ? 3 : 1 + random.below(5);
  drop = sometimes(0.2);
  duplicate = sometimes(0.2);
  max_delay = milliseconds(1 + random.below(random.chance(0.3) ? 200 : 20));
  partition_rate = sometimes(0.2);
  crash_rate = sometimes(0.1);
  disk_error_rate = sometimes(0.02);
  disk_full_rate = sometimes(0.05);
  membership_rate = sometimes(0.1);
  transfer_rate = sometimes(0.1);
  strikes_leaders = random.chance(0.5);
  disk_mean = random.chance(0.3) ? milliseconds(1 + random.below(40))
                                 : microseconds(1 + random.below(2000));
  snapshot_bytes = random.chance(0.5) ? 2'000 + random.below(8'000) : 1 << 20;
  segment_bytes = 4'096 << random.below(4);
  max_payload = random.chance(0.3) ? 3'000 : 60;
}

void RaftSimulation::nemesis() {
  for (auto& [id, node] : nodes_) {
    if (!node->is_up()) {
      continue;
    }
    if (random_.chance(plan_.crash_rate)) {
      crash(*node, random_.chance(0.7));
      restart_later(*node);
    } else if (random_.chance(plan_.disk_error_rate)) {
      node->disk.fail_sync_after(random_.below(4));
    } else if (random_.chance(plan_.disk_full_rate)) {
      fill_disk(*node);
    }
  }
  if (random_.chance(plan_.partition_rate)) {
    cut_some();
  } else if (random_.chance(0.1)) {
    cuts_.clear();
  }
  if (random_.chance(plan_.membership_rate)) {
    change_membership();
  }
  Node* const first = leader();
  if (first != nullptr && random_.chance(plan_.transfer_rate)) {
    first->replica->transfer_leadership(MemberId(), [](const Status&) {});
  }
}

// One member alone, two halves, or single directions.
void RaftSimulation::cut_some() {
  cuts_.clear();
  const MemberId alone(1 + random_.below(last_member_));
  const uint64_t kind = random_.below(3);
  for (const auto& [from, a] : nodes_) {
    for (const auto& [to, b] : nodes_) {
      const bool is_cut = kind == 0   ? (from == alone) != (to == alone)
                          : kind == 1 ? (from < alone) != (to < alone)
                                      : random_.chance(0.3);
      if (from != to && is_cut) {
        cuts_.insert({from, to});
      }
    }
  }
}

// Bugs hide where a leader has just promised something: strike about a message's way later.
void RaftSimulation::strike(MemberId member) {
  const Duration delay(random_.below(30'000'000));
  const bool cuts = random_.chance(0.5);
  world_.schedule(world_.now() + delay, [this, member, cuts] {
    Node& node = *nodes_.at(member);
    if (!has_faults_ || !node.is_up()) {
      return;
    }
    if (!cuts) {
      crash(node, true);
      restart_later(node);
      return;
    }
    for (const auto& [other, unused] : nodes_) {
      cuts_.insert({member, other});
      cuts_.insert({other, member});
    }
  });
}

void RaftSimulation::fill_disk(Node& node) {
  node.disk.set_capacity(0);
  const Duration delay(random_.below(3'000'000'000));
  world_.schedule(world_.now() + delay,
                  [&node] { node.disk.set_capacity(std::numeric_limits<uint64_t>::max()); });
}

void RaftSimulation::change_membership() {
  Node* const first = leader();
  if (first == nullptr) {
    return;
  }
  const std::vector<raft::Member> members = first->replica->members();
  if (members.size() < 5 && random_.chance(0.5)) {
    Node& fresh = make_node(false);
    first->replica->add_member({fresh.id, "address", true}, [](const Status&) {});
    return;
  }
  const raft::Member& member = members[random_.below(members.size())];
  const auto voters = std::count_if(members.begin(), members.end(),
                                    [](const raft::Member& m) { return !m.is_learner; });
  if (voters > 2 && member.id != first->id) {
    first->replica->remove_member(member.id, [this, id = member.id](const Status& status) {
      Node& node = *nodes_.at(id);
      if (status.ok() && removed_.insert(id).second && node.is_up()) {
        world_.schedule(world_.now(), [this, &node] {
          if (node.is_up()) {
            crash(node, false);
          }
        });
      }
    });
  }
}

void RaftSimulation::propose() {
  for (auto& [id, node] : nodes_) {
    // Whoever was told that it leads, right or not.
    if (node->is_up() && !node->leads.is_empty()) {
      std::string text = "command " + std::to_string(++last_command_) + " ";
      text.append(random_.below(plan_.max_payload), 'x');
      node->proposed[text] = node->leads;
      node->replica->propose(node->leads, text);
    }
  }
}

// A confirmed read must not miss what was committed anywhere when it was asked for.
void RaftSimulation::read() {
  for (auto& [id, node] : nodes_) {
    if (node->is_up() && !node->leads.is_empty()) {
      const uint64_t committed = invariants_.committed();
      const uint64_t incarnation = node->incarnation;
      node->replica->confirm_leadership(
          [this, &node = *node, committed, incarnation](const Status& status) {
            if (status.ok() && node.incarnation == incarnation &&
                node.core().committed().value() < committed) {
              invariants_.violate("member " + std::to_string(node.id.value()) +
                                  " confirmed a read and lacks committed entries");
            }
          });
    }
  }
}

void RaftSimulation::heal() {
  has_faults_ = false;
  cuts_.clear();
  for (auto& [id, node] : nodes_) {
    node->disk.set_capacity(std::numeric_limits<uint64_t>::max());
    node->disk.fail_sync_after(std::numeric_limits<uint64_t>::max());
  }
}

}  // namespace swarm::test
