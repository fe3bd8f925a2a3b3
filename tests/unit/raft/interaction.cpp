#include "interaction.h"

#include <algorithm>

#include "interaction_text.h"

namespace swarm::raft::test {

void Interaction::say(const std::string& text) {
  if (!is_quiet_) {
    output_ += text + "\n";
  }
}

std::string Interaction::run(const std::string& line) {
  output_.clear();
  is_quiet_ = false;
  std::istringstream arguments(line);
  std::string name;
  arguments >> name;
  command(name, arguments);
  return output_;
}

void Interaction::make(MemberId id, const SnapshotMeta& snapshot, Term term) {
  Disk& disk = disks_[id];
  disk = Disk();
  disk.hard_state.term = term;
  disk.hard_state.commit = snapshot.index;
  disk.snapshot = snapshot;
  start(id, InitialState{disk.hard_state, snapshot, {}});
}

void Interaction::start(MemberId id, InitialState state) {
  CoreOptions options = options_;
  options.self = id;
  applied_.erase(id);
  // Another seed for every life.
  cores_[id] =
      std::make_unique<RaftCore>(options, std::move(state), Random(100 * ++lives_ + id.value()));
  settle(id);
}

// Carries out effects until there are none.
void Interaction::settle(MemberId id) {
  while (true) {
    Effects effects = cores_.at(id)->take_effects();
    if (effects.is_empty()) {
      break;
    }
    carry_out(id, std::move(effects));
  }
  const RaftCore& core = *cores_.at(id);
  if (roles_[id] != core.role()) {
    roles_[id] = core.role();
    say(text_of(id) + " is " + text_of(core.role()) + " in term " +
        std::to_string(core.term().value()));
  }
}

void Interaction::carry_out(MemberId id, Effects effects) {
  RaftCore& core = *cores_.at(id);
  for (Envelope& envelope : effects.send) {
    under_way_.push_back({id, std::move(envelope)});
  }
  if (effects.persist) {
    disks_.at(id).waiting.push_back(*std::move(effects.persist));
    persist(id);
  }
  if (effects.restore) {
    core.on_applied(effects.restore->index);
  }
  for (const Entry& entry : effects.apply) {
    if (entry.kind == EntryKind::command) {
      say(text_of(id) + " applies " + text_of(entry.index, entry.term) + " " + *entry.data);
    }
  }
  if (!effects.apply.empty()) {
    applied_[id] = effects.apply.back().index;
    acknowledge_apply(id);
  }
  for (const ProposalVerdict& verdict : effects.verdicts) {
    say(text_of(id) + " proposal " + std::to_string(verdict.id) + " " + text_of(verdict.outcome));
  }
  for (const ReadyRead& read : effects.reads_ready) {
    say(text_of(id) + " read " + std::to_string(read.id) + " confirmed at " + text_of(read.index));
  }
  for (const uint64_t read : effects.reads_failed) {
    say(text_of(id) + " read " + std::to_string(read) + " failed");
  }
  for (const SnapshotOrder& order : effects.snapshots) {
    SnapshotPart whole;
    whole.term = core.term();
    whole.meta = disks_.at(id).snapshot;
    whole.ends_snapshot = true;
    under_way_.push_back({id, {order.to, std::move(whole)}});
  }
  for (const ReceivedPart& part : effects.parts) {
    say(text_of(id) + " installs snapshot " + text_of(part.part.meta.index, part.part.meta.term));
    disks_.at(id).snapshot = part.part.meta;
    core.on_snapshot_received(part.part.meta);
  }
  if (effects.campaign_soon) {
    say(text_of(id) + " will campaign soon");
  }
  for (const MemberId peer : effects.stuck_peers) {
    say(text_of(id) + " finds " + text_of(peer) + " stuck");
  }
  if (effects.stall != Stall::none) {
    say(text_of(id) + (effects.stall == Stall::storage ? " has a stuck disk" : " does not apply"));
  }
}

void Interaction::acknowledge_apply(MemberId id) {
  const auto applied = applied_.find(id);
  if (applied != applied_.end() && !stuck_appliers_.contains(id)) {
    cores_.at(id)->on_applied(applied->second);
  }
}

// Acknowledges everything that waits with one sync.
void Interaction::persist(MemberId id) {
  Disk& disk = disks_.at(id);
  if (!disk.is_held) {
    sync(id, disk.waiting.size());
  }
}

void Interaction::sync(MemberId id, size_t count) {
  Disk& disk = disks_.at(id);
  if (count == 0 || disk.waiting.size() < count) {
    return;
  }
  const PersistOp last = disk.waiting[count - 1];
  for (; count > 0; --count) {
    const PersistOp op = std::move(disk.waiting.front());
    disk.waiting.pop_front();
    if (op.hard_state) {
      disk.hard_state = *op.hard_state;
    }
    if (op.snapshot && op.snapshot->resets_log) {
      disk.entries.clear();
    }
    for (const Entry& entry : op.entries) {
      std::erase_if(disk.entries, [&](const Entry& old) { return old.index >= entry.index; });
      disk.entries.push_back(entry);
    }
  }
  cores_.at(id)->on_persisted(last.seq, last.mark);
}

void Interaction::deliver(int most) {
  for (; most > 0 && !under_way_.empty(); --most) {
    Sent sent = std::move(under_way_.front());
    under_way_.pop_front();
    const MemberId to = sent.envelope.to;
    const bool is_lost = is_cut(sent.from, to) || !cores_.contains(to);
    say(text_of(sent.from) + "->" + text_of(to) + " term " +
        std::to_string(term_of(sent.envelope.message).value()) + " " +
        text_of(sent.envelope.message) + (is_lost ? " (lost)" : ""));
    if (!is_lost) {
      cores_.at(to)->step(sent.from, std::move(sent.envelope.message));
      settle(to);
    }
  }
}

}  // namespace swarm::raft::test
