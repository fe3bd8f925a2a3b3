// What happened in an event, told from what changed; and the faults that are aimed at it.

#include <algorithm>

#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;
using raft::Role;

namespace {

bool promotes(const raft::Configuration& before, const raft::Configuration& now) {
  return std::ranges::any_of(now.members, [&](const raft::Member& member) {
    const raft::Member* const was = before.find(member.id);
    return !member.is_learner && was != nullptr && was->is_learner;
  });
}

}  // namespace

void RaftSimulation::observe(Node& node) {
  const raft::RaftCore& core = node.core();
  if (node.lost) {
    // The first look after a crash: what is not there any more, and what is although nobody said
    // so?
    if (core.log().base() > node.lost->base) {
      reach(State::snapshot_without_marker);
    }
    if (core.log().last() < node.lost->last) {
      reach(State::tail_lost);
    }
    if (!node.lost->vote.is_empty() &&
        (core.term() < node.lost->term || core.vote() != node.lost->vote)) {
      reach(State::vote_forgotten_before_durable);
    }
    node.lost.reset();
  }
  observe_role(node, core);
  observe_log(node, core);
  node.watched = {core.role(),       core.term(),
                  core.vote(),       core.log().configurations().latest_index(),
                  core.log().last(), core.log().last_term(),
                  core.stable(),     core.committed(),
                  core.log().base()};
}

void RaftSimulation::observe_role(Node& node, const raft::RaftCore& core) {
  const Node::Watched& was = node.watched;
  if (core.vote() != was.vote && !core.vote().is_empty() && core.vote() != node.id) {
    on_moment(Moment::voted, node);
  }
  if (core.role() == was.role && core.term() == was.term) {
    return;
  }
  trace([&] { return describe(node) + " is now " + kRoleNames[static_cast<int>(core.role())]; });
  if (was.role == Role::candidate && core.role() == Role::pre_candidate) {
    reach(State::split_vote);
  }
  if (core.role() == Role::candidate) {
    on_moment(Moment::became_candidate, node);
  }
  if (was.role == Role::leader && core.role() == Role::follower && core.term() == was.term) {
    reach(State::quorum_lost);
  }
  if (core.role() != Role::leader || was.role == Role::leader) {
    return;
  }
  for (const auto& other : nodes_) {
    if (other->id != node.id && other->is_up() && other->core().is_leader()) {
      reach(State::two_leaders_in_two_terms);
    }
  }
  if (!core.configuration_is_committed()) {
    reach(State::configuration_changed_hands);
  }
  if (core.configuration().is_joint()) {
    reach(State::leader_changed_while_joint);
  }
  on_moment(Moment::became_leader, node);
}

void RaftSimulation::observe_log(Node& node, const raft::RaftCore& core) {
  const Node::Watched& was = node.watched;
  const raft::Index configuration = core.log().configurations().latest_index();
  if (core.log().base() > was.base && core.log().last() == core.log().base() &&
      core.log().base() > was.last) {
    node.has_truncated = false;
    on_moment(Moment::installed_snapshot, node);
    return;
  }
  if (configuration != was.configuration) {
    if (configuration < was.configuration) {
      reach(State::configuration_truncated);
    }
    if (core.configuration().is_joint()) {
      reach(State::joint_entered);
    }
    if (configuration > was.configuration && was.configuration >= core.log().base() &&
        promotes(core.log().configurations().at(was.configuration), core.configuration())) {
      reach(State::learner_promoted);
    }
    on_moment(Moment::changed_configuration, node);
  }
  const bool is_same_end = was.last == core.log().last() && was.last_term == core.log().last_term();
  const bool holds_all =
      is_same_end || was.last < core.log().base() || core.log().holds(was.last, was.last_term);
  if (!holds_all) {
    reach(State::entries_truncated);
    on_moment(Moment::truncated, node);
  }
  node.has_truncated |= !holds_all;
  if (node.has_truncated && core.stable() > was.stable) {
    check_disk(node);
    node.has_truncated = core.stable() < core.log().last();
  }
  if (core.is_leader() && core.committed() > was.committed && was.committed >= core.log().base() &&
      core.log().term_at(raft::after(was.committed)) < core.term()) {
    reach(State::old_term_committed);
  }
  if (core.is_leader()) {
    for (const auto& [peer, progress] : core.progress()) {
      if (progress.inflights().is_full()) {
        reach(State::inflight_full);
      }
      if (progress.state() == raft::Progress::State::snapshot &&
          node.replica->metrics().snapshot < core.log().base()) {
        reach(State::no_snapshot_new_enough);
      }
    }
  }
}

void RaftSimulation::on_moment(Moment moment, Node& node) {
  if (moment == Moment::became_leader && has_faults_ && random_.chance(plan_.membership_rate)) {
    const Duration delay(random_.below(static_cast<uint64_t>(plan_.max_delay.count()) * 2 + 1));
    world_.schedule(world_.now() + delay, [this] {
      if (has_faults_) {
        change_membership();
      }
    });
  }
  if (is_aimed_at(moment)) {
    strike(node);
  }
}

bool RaftSimulation::is_aimed_at(Moment moment) {
  return has_faults_ && random_.chance(plan_.aim[static_cast<size_t>(moment)]);
}

// The sender may not see the end of it, and another leader may come while the receiver is still
// writing.
void RaftSimulation::on_snapshot_begun(Node& sender, Node& receiver) {
  on_moment(Moment::sends_snapshot, sender);
  if (receiver.is_up() && is_aimed_at(Moment::sends_snapshot)) {
    stall(receiver);
  }
}

// At once, while the disk is at it, or about a message's way later.
void RaftSimulation::strike(Node& node) {
  const Duration reach = random_.chance(0.5) ? plan_.disk_mean * 2 : plan_.max_delay * 2;
  const Duration delay(
      random_.chance(0.2) ? 0 : random_.below(static_cast<uint64_t>(reach.count()) + 1));
  const uint64_t kind = random_.below(10);
  world_.schedule(world_.now() + delay, [this, &node, kind, incarnation = node.incarnation] {
    if (!has_faults_ || !node.is_up() || node.incarnation != incarnation) {
      return;
    }
    if (kind < 5) {
      crash(node, true);
    } else if (kind < 6) {
      crash(node, false);
    } else if (kind < 7) {
      pause(node, plan_.tick * (1 + random_.below(60)));
    } else if (kind < 8) {
      stall(node);
    } else {
      trace([&] { return "cut off: member " + std::to_string(node.id.value()); });
      for (const raft::MemberId other : ids()) {
        network_.cut(node.id, other);
        if (kind == 9) {
          network_.cut(other, node.id);
        }
      }
    }
  });
}

}  // namespace swarm::test
