#include "interaction.h"

#include <algorithm>

namespace swarm::raft::test {

namespace {

std::string at(Index index, Term term) {
  return std::to_string(index.value()) + "/" + std::to_string(term.value());
}

std::string number(Index index) {
  return std::to_string(index.value());
}

struct Printer {
  std::string operator()(const AppendEntries& m) const {
    std::string text =
        "append after " + at(m.previous_index, m.previous_term) + " commit " + number(m.commit);
    for (const Entry& entry : m.entries) {
      text += " [" + at(entry.index, entry.term);
      text += entry.kind == EntryKind::noop         ? " noop]"
              : entry.kind == EntryKind::membership ? " membership]"
                                                    : " " + *entry.data + "]";
    }
    return text;
  }
  std::string operator()(const AppendReply& m) const {
    return m.is_rejected ? "reject " + number(m.index) + " hint " + at(m.hint_index, m.hint_term)
                         : "accept " + number(m.index);
  }
  std::string operator()(const Heartbeat& m) const {
    return "heartbeat commit " + number(m.commit) + " read " + std::to_string(m.read_position) +
           (m.wants_reply ? "" : " (no reply)");
  }
  std::string operator()(const HeartbeatReply& m) const {
    return "heartbeat reply read " + std::to_string(m.read_position);
  }
  std::string operator()(const VoteRequest& m) const {
    return std::string(m.is_pre_vote ? "pre-vote" : "vote") + " request last " +
           at(m.last_index, m.last_term) + (m.is_transfer ? " transfer" : "");
  }
  std::string operator()(const VoteReply& m) const {
    return std::string(m.is_pre_vote ? "pre-vote " : "vote ") +
           (m.is_granted ? "granted" : "refused");
  }
  std::string operator()(const TimeoutNow&) const { return "timeout now"; }
  std::string operator()(const SnapshotPart& m) const {
    return "snapshot " + at(m.meta.index, m.meta.term);
  }
  std::string operator()(const SnapshotPartReply& m) const {
    return "snapshot reply " + number(m.index);
  }
};

const char* name_of(Role role) {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre-candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
  }
  return "?";
}

std::string name_of(MemberId id) {
  return std::to_string(id.value());
}

MemberId read_member(std::istringstream& arguments) {
  uint64_t id = 0;
  arguments >> id;
  return MemberId(id);
}

}  // namespace

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
  CoreOptions options;
  options.self = id;
  cores_[id] = std::make_unique<RaftCore>(options, InitialState{disk.hard_state, snapshot, {}},
                                          Random(id.value()));
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
    say(name_of(id) + " is " + name_of(core.role()) + " in term " +
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
      say(name_of(id) + " applies " + at(entry.index, entry.term) + " " + *entry.data);
    }
  }
  if (!effects.apply.empty()) {
    core.on_applied(effects.apply.back().index);
  }
  for (const uint64_t read : effects.reads_ready) {
    say(name_of(id) + " read " + std::to_string(read) + " confirmed");
  }
  for (const uint64_t read : effects.reads_failed) {
    say(name_of(id) + " read " + std::to_string(read) + " failed");
  }
  for (const SnapshotOrder& order : effects.snapshots) {
    // Whole, in one part.
    const SnapshotMeta meta = disks_.at(id).snapshot;
    under_way_.push_back({id, {order.to, SnapshotPart{core.term(), meta, 0, true, true, ""}}});
  }
  for (const ReceivedPart& part : effects.parts) {
    say(name_of(id) + " installs snapshot " + at(part.part.meta.index, part.part.meta.term));
    disks_.at(id).snapshot = part.part.meta;
    core.on_snapshot_received(part.part.meta);
  }
  if (effects.campaign_soon) {
    say(name_of(id) + " will campaign soon");
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

void Interaction::deliver() {
  constexpr int kMost = 1000;
  for (int i = 0; i < kMost && !under_way_.empty(); ++i) {
    Sent sent = std::move(under_way_.front());
    under_way_.pop_front();
    const MemberId to = sent.envelope.to;
    const bool is_lost = cut_.contains(sent.from) || cut_.contains(to) || !cores_.contains(to);
    say(name_of(sent.from) + "->" + name_of(to) + " term " +
        std::to_string(term_of(sent.envelope.message).value()) + " " +
        std::visit(Printer(), sent.envelope.message) + (is_lost ? " (lost)" : ""));
    if (!is_lost) {
      cores_.at(to)->step(sent.from, std::move(sent.envelope.message));
      settle(to);
    }
  }
  if (!under_way_.empty()) {
    say("messages without end");
  }
}

void Interaction::command(const std::string& name, std::istringstream& arguments) {
  if (name == "cluster") {
    uint64_t size = 0;
    arguments >> size;
    SnapshotMeta start{Index(1), Term(1), {}};
    for (uint64_t id = 1; id <= size; ++id) {
      start.configuration.members.push_back({MemberId(id), "", false});
    }
    for (uint64_t id = 1; id <= size; ++id) {
      make(MemberId(id), start, Term(1));
    }
  } else if (name == "state") {
    print_state();
  } else if (name == "deliver" || name == "drop" || name == "repeat" || name == "cut" ||
             name == "heal") {
    network_command(name, arguments);
  } else if (name == "spare") {
    make(read_member(arguments), {}, Term());
  } else {
    storage_command(name, arguments);
  }
}

void Interaction::network_command(const std::string& name, std::istringstream& arguments) {
  if (name == "deliver") {
    std::string quiet;
    arguments >> quiet;
    is_quiet_ = !quiet.empty();
    deliver();
  } else if (name == "drop") {
    const MemberId from = read_member(arguments);
    const MemberId to = read_member(arguments);
    std::erase_if(under_way_, [&](const Sent& sent) {
      return from.is_empty() || (sent.from == from && sent.envelope.to == to);
    });
  } else if (name == "repeat") {
    const std::deque<Sent> copies = under_way_;
    under_way_.insert(under_way_.end(), copies.begin(), copies.end());
  } else if (name == "cut") {
    cut_.insert(read_member(arguments));
  } else {
    cut_.clear();
  }
}

void Interaction::storage_command(const std::string& name, std::istringstream& arguments) {
  const MemberId id = read_member(arguments);
  if (!cores_.contains(id)) {
    say("unknown command or member: " + name);
    return;
  }
  RaftCore& core = *cores_.at(id);
  Status status = absl::OkStatus();
  if (name == "campaign") {
    core.campaign();
  } else if (name == "tick") {
    int count = 1;
    arguments >> count;
    for (int i = 0; i < count; ++i) {
      core.tick();
      settle(id);
    }
  } else if (name == "propose") {
    std::string text;
    arguments >> text;
    status = core.propose(std::make_shared<const std::string>(text));
  } else if (name == "add" || name == "remove") {
    const auto kind =
        name == "add" ? MembershipChange::Kind::add_learner : MembershipChange::Kind::remove;
    status = core.propose_membership({kind, read_member(arguments), "address"}).status();
  } else if (name == "transfer") {
    status = core.transfer_leadership(read_member(arguments));
  } else if (name == "read") {
    core.read_index(++last_read_);
  } else if (name == "refused") {
    core.on_peer_refused(read_member(arguments));
  } else if (name == "hold") {
    disks_.at(id).is_held = true;
  } else if (name == "release") {
    disks_.at(id).is_held = false;
    persist(id);
  } else if (name == "sync") {
    sync(id, 1);
  } else if (name == "compact") {
    uint64_t index = 0;
    arguments >> index;
    disks_.at(id).snapshot = core.snapshot_meta(Index(index));
    core.on_snapshot_saved(Index(index), Index(index));
  } else if (name == "restart") {
    Disk& disk = disks_.at(id);
    disk.waiting.clear();
    disk.is_held = false;
    InitialState state{disk.hard_state, disk.snapshot, {}};
    for (const Entry& entry : disk.entries) {
      if (entry.index > disk.snapshot.index) {
        state.entries.push_back(entry);
      }
    }
    CoreOptions options;
    options.self = id;
    cores_[id] = std::make_unique<RaftCore>(options, std::move(state), Random(id.value()));
  } else if (name == "log") {
    print_log(id);
  } else {
    say("unknown command: " + name);
  }
  if (!status.ok()) {
    say(std::string(status.message()));
  }
  settle(id);
}

void Interaction::print_state() {
  for (const auto& [id, core] : cores_) {
    std::string text = name_of(id) + ": " + name_of(core->role()) + " term " +
                       std::to_string(core->term().value()) + " leader " + name_of(core->leader()) +
                       " commit " + number(core->committed()) + " durable " +
                       number(core->stable()) + " last " + number(core->log().last()) + " voters";
    for (const MemberId voter : core->configuration().voters()) {
      text += " " + name_of(voter);
    }
    say(text);
  }
}

void Interaction::print_log(MemberId id) {
  const RaftLog& log = cores_.at(id)->log();
  std::string text = "after " + number(log.base()) + ":";
  for (Index index = after(log.base()); index <= log.last(); index = after(index)) {
    text += " " + at(index, log.at(index).term);
  }
  say(text);
}

}  // namespace swarm::raft::test
