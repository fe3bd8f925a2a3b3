// What clients and operators ask for.

#include <algorithm>

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

// Whoever was told that it leads is asked, right or not.
void RaftSimulation::work() {
  const bool proposes = random_.chance(plan_.propose_rate);
  const bool reads = random_.chance(plan_.read_rate);
  const uint64_t burst = random_.chance(plan_.burst_rate) ? 10 + random_.below(40) : 0;
  for (const auto& node : nodes_) {
    if (!node->is_up() || node->leads.is_empty() || node->owner.paused_until > world_.now()) {
      continue;
    }
    node->owner.is_touched = true;
    for (uint64_t i = 0; i < burst + (proposes ? 1 : 0); ++i) {
      propose(*node);
    }
    if (reads) {
      read(*node);
    }
  }
  if (reads) {
    Node& anybody = *nodes_[random_.below(nodes_.size())];
    if (anybody.is_up()) {
      read_anywhere(anybody);
    }
  }
}

void RaftSimulation::propose(Node& node) {
  if (!node.core().is_leader()) {
    return;
  }
  std::string text = std::to_string(++last_command_) + " ";
  text.append(random_.below(plan_.max_payload), 'x');
  node.proposed[last_command_] = node.leads;
  node.replica->propose(node.leads, std::move(text));
  if (!node.core().is_leader()) {
    reach(State::proposal_over_bound);
  }
}

// A confirmed read must not miss what was committed anywhere when it was asked for.
void RaftSimulation::read(Node& node) {
  const uint64_t committed = invariants_.committed();
  node.replica->confirm_leadership(
      [this, &node, committed, incarnation = node.incarnation](const Status& status) {
        if (node.incarnation != incarnation || !node.is_up()) {
          return;
        }
        reach(status.ok() ? State::read_confirmed : State::read_failed);
        if (status.ok() && node.core().committed().value() < committed) {
          invariants_.violate("member " + std::to_string(node.id.value()) +
                              " confirmed a read and lacks committed entries");
        }
      });
}

// On any member: whoever has applied the index there misses nothing that was committed before.
void RaftSimulation::read_anywhere(Node& node) {
  const uint64_t committed = invariants_.committed();
  node.owner.is_touched = true;
  node.replica->read_index(
      [this, &node, committed, incarnation = node.incarnation](const Result<raft::Index>& index) {
        if (!index.ok() || node.incarnation != incarnation || !node.is_up()) {
          return;
        }
        if (!node.core().is_leader()) {
          reach(State::follower_read);
        }
        if (index->value() < committed || node.machine->applied() < *index) {
          invariants_.violate(describe(node) + " served a read at index " +
                              std::to_string(index->value()) + " that misses entry " +
                              std::to_string(committed));
        }
      });
}

// Whoever leads by its own account, also before its machine was told.
RaftSimulation::Node* RaftSimulation::elected_leader() {
  Node* result = nullptr;
  for (const auto& node : nodes_) {
    if (node->is_up() && node->core().is_leader() && node->owner.paused_until <= world_.now() &&
        (result == nullptr || node->core().term() > result->core().term())) {
      result = node.get();
    }
  }
  return result;
}

void RaftSimulation::change_membership() {
  Node* const first = elected_leader();
  if (first == nullptr) {
    return;
  }
  first->owner.is_touched = true;
  const bool can_add =
      first->replica->members().size() < 7 && nodes_.size() + 1 < RaftNetwork::kMaxMembers;
  const uint64_t kind = random_.below(6);
  if (can_add && kind < 3) {
    add_member(*first);
  } else if (kind < 5) {
    remove_member(*first);
  } else {
    change_several(*first);
  }
}

// More than one voter at once: through a joint configuration.
void RaftSimulation::change_several(Node& first) {
  raft::MembershipChanges changes;
  std::vector<MemberId> removed;
  for (const raft::Member& member : first.replica->members()) {
    if (member.is_learner) {
      changes.push_back({raft::MembershipChange::Kind::promote, member.id, {}});
    } else if (member.id != first.id && removed.size() < 2 && random_.chance(0.4)) {
      changes.push_back({raft::MembershipChange::Kind::remove, member.id, {}});
      removed.push_back(member.id);
    }
  }
  if (changes.empty()) {
    return;
  }
  trace([&] { return "an operator changes " + std::to_string(changes.size()) + " members"; });
  first.replica->change_members(changes, [this, removed](const Status& status) {
    for (const MemberId id : removed) {
      retire(id, status);
    }
  });
}

// A member that was removed is switched off, some time later.
void RaftSimulation::retire(MemberId id, const Status& removed) {
  Node& node = node_of(id);
  if (!removed.ok() || node.is_gone) {
    return;
  }
  reach(State::voter_removed);
  const Duration delay = plan_.tick * random_.below(30);
  world_.schedule(world_.now() + delay, [this, &node] {
    node.is_gone = true;
    if (node.is_up()) {
      crash(node, false);
    }
  });
}

void RaftSimulation::add_member(Node& first) {
  Node& fresh = make_node();
  open(fresh);
  if (!fresh.is_up()) {
    return;
  }
  trace([&] { return "an operator adds member " + std::to_string(fresh.id.value()); });
  first.replica->add_member({fresh.id, "address", true}, [](const Status&) {});
}

void RaftSimulation::remove_member(Node& first) {
  const std::vector<raft::Member> members = first.replica->members();
  const raft::Member& member = members[random_.below(members.size())];
  const auto voters = std::count_if(members.begin(), members.end(),
                                    [](const raft::Member& m) { return !m.is_learner; });
  if (voters <= 2 || member.id == first.id) {
    return;
  }
  trace([&] { return "an operator removes member " + std::to_string(member.id.value()); });
  first.replica->remove_member(
      member.id, [this, id = member.id](const Status& status) { retire(id, status); });
}

void RaftSimulation::transfer() {
  Node* const first = elected_leader();
  if (first == nullptr) {
    return;
  }
  first->owner.is_touched = true;
  trace([&] { return "an operator asks " + describe(*first) + " to hand over"; });
  first->replica->transfer_leadership(MemberId(), [this](const Status& status) {
    if (status.ok()) {
      reach(State::transfer_done);
    } else if (absl::IsDeadlineExceeded(status)) {
      reach(State::transfer_timed_out);
    }
  });
}

}  // namespace swarm::test
