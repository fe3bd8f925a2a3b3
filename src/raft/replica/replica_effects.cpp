// What the core asks for, carried out.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "raft/replica/raft_replica.h"

namespace swarm::raft {

// Behind everything that is already waiting on the loop, so that one batch of effects answers it
// all.
void RaftReplica::schedule_drive() {
  if (!is_started_ || std::exchange(is_drive_posted_, true)) {
    return;
  }
  drive_posted_ = loop_.now();
  loop_.post(anchor_.bind([this] {
    is_drive_posted_ = false;
    loop_lag_.add(loop_.now(), loop_.now() - drive_posted_);
    drive();
  }));
}

void RaftReplica::drive() {
  if (has_failed_) {
    return;
  }
  if (!holds_proposals()) {
    release_proposals();
  }
  membership_.drive(*core_, loop_.now());
  Effects effects = core_->take_effects();
  // Before anything of another leader is applied: the store undoes its head first.
  report_lost_leadership();
  carry_out(std::move(effects));
  finish_transfer();
  report_leader();
  maybe_take_snapshot();
  compact_log();
}

void RaftReplica::report_lost_leadership() {
  if (!announced_ || (core_->is_leader() && core_->term() == *announced_)) {
    return;
  }
  const Term term = *std::exchange(announced_, std::nullopt);
  log::info("leadership lost", {{"term", term.value()}});
  sender_.stop_all();
  machine_.leadership_lost(term);
}

void RaftReplica::report_leader() {
  if (core_->leader() != told_leader_) {
    told_leader_ = core_->leader();
    log::info("leader changed",
              {{"leader", told_leader_.value()}, {"term", core_->term().value()}});
    machine_.leader_changed(told_leader_.is_empty() ? std::nullopt : std::optional(told_leader_));
  }
  if (core_->missing_voters() != told_missing_) {
    told_missing_ = core_->missing_voters();
    machine_.quorum_changed(told_missing_);
  }
  if (!core_->is_leader()) {
    membership_.on_leadership_lost();
  } else if (!announced_ && core_->handed_to_apply() >= core_->first_of_term()) {
    announced_ = core_->term();
    log::info("leadership won", {{"term", announced_->value()}});
    machine_.leadership_won(*announced_);
  }
}

void RaftReplica::carry_out(Effects effects) {
  if (effects.configuration_changed) {
    update_peers();
  }
  for (const Envelope& envelope : effects.send) {
    messages_.send(envelope);
  }
  if (effects.persist) {
    writer_->submit(*std::move(effects.persist));
  }
  if (effects.restore) {
    restore(*effects.restore);
  }
  if (!effects.apply.empty()) {
    hand_to_apply(std::move(effects.apply));
  }
  for (const SnapshotOrder& order : effects.snapshots) {
    send_snapshot(order.to);
  }
  for (ReceivedPart& received : effects.parts) {
    receiver_.on_part(received.from, std::move(received.part));
  }
  for (const ReceivedPartReply& received : effects.part_replies) {
    sender_.on_reply(received.from, received.reply);
  }
  if (effects.campaign_soon) {
    // Chance keeps those who saw the same refusal from campaigning at the same instant.
    const auto range = static_cast<uint64_t>((options_.tick * kRefusedDelayTicks).count());
    campaign_.set_after(Duration(random_.below(range + 1)), [this] {
      if (core_->leader().is_empty() && core_->role() == Role::follower) {
        core_->campaign();
        drive();
      }
    });
  }
  report_trouble(effects);
  finish_proposals(effects.verdicts);
  finish_reads(effects);
  if (effects.lost) {
    on_state_lost(*effects.lost);
  }
}

void RaftReplica::report_trouble(const Effects& effects) {
  for (const MemberId peer : effects.stuck_peers) {
    log::warning("a manager answers, but has not acknowledged entries for long",
                 {{"member", peer.value()}});
    transport_.reset_peer(peer);
  }
  if (effects.stall != Stall::none) {
    log::warning("leadership is handed over: this manager is too slow",
                 {{"stuck", effects.stall == Stall::storage ? "disk" : "state machine"},
                  {"term", core_->term().value()}});
  }
}

void RaftReplica::update_peers() {
  std::map<MemberId, std::string> wanted;
  const Configuration& configuration = core_->configuration();
  for (const std::vector<Member>* const members :
       {&configuration.members, &configuration.outgoing}) {
    for (const Member& member : *members) {
      if (member.id != options_.self) {
        wanted.emplace(member.id, member.address);
      }
    }
  }
  for (const auto& [id, address] : peers_) {
    if (!wanted.contains(id)) {
      transport_.remove_peer(id);
      sender_.forget(id);
      awaiting_snapshot_.erase(id);
    }
  }
  for (const auto& [id, address] : wanted) {
    const auto known = peers_.find(id);
    if (known == peers_.end() || known->second != address) {
      transport_.set_peer(id, address);
    }
  }
  peers_ = std::move(wanted);
}

void RaftReplica::hand_to_apply(std::vector<Entry> entries) {
  const Index up_to = entries.back().index;
  std::vector<CommittedEntry> commands;
  for (Entry& entry : entries) {
    bytes_since_snapshot_ += entry.bytes();
    membership_.on_committed(entry);
    if (entry.kind == EntryKind::command) {
      commands.push_back({entry.term, entry.index, std::move(entry.data)});
    }
  }
  applying_.push_back({up_to, loop_.now()});
  machine_.apply(std::move(commands), up_to);
}

}  // namespace swarm::raft
