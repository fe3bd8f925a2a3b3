// What the commands of a transcript do.

#include <algorithm>

#include "interaction.h"
#include "interaction_text.h"

namespace swarm::raft::test {

namespace {

constexpr int kMostMessages = 1000;  // more are without end

MemberId read_member(std::istream& arguments) {
  uint64_t id = 0;
  arguments >> id;
  return MemberId(id);
}

std::string read_word(std::istream& arguments) {
  std::string word;
  arguments >> word;
  return word;
}

std::shared_ptr<const std::string> read_payload(std::istream& arguments) {
  return std::make_shared<const std::string>(read_word(arguments));
}

// add=4 promote=4 remove=3 address=2=there
MembershipChanges read_changes(std::istream& arguments) {
  MembershipChanges changes;
  std::string word;
  while (arguments >> word) {
    std::istringstream parts(word);
    std::string kind;
    std::string id;
    std::string address;
    std::getline(parts, kind, '=');
    std::getline(parts, id, '=');
    std::getline(parts, address);
    MembershipChange change;
    change.id = MemberId(std::stoull(id));
    change.address = address;
    change.kind = kind == "add"       ? MembershipChange::Kind::add_learner
                  : kind == "promote" ? MembershipChange::Kind::promote
                  : kind == "remove"  ? MembershipChange::Kind::remove
                                      : MembershipChange::Kind::set_address;
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace

void Interaction::command(const std::string& name, std::istringstream& arguments) {
  if (name == "options") {
    set_option(read_word(arguments), arguments);
  } else if (name == "cluster") {
    uint64_t size = 0;
    arguments >> size;
    SnapshotMeta start{Index(1), Term(1), {}};
    for (uint64_t id = 1; id <= size; ++id) {
      start.configuration.members.push_back({MemberId(id), "", false});
    }
    for (uint64_t id = 1; id <= size; ++id) {
      make(MemberId(id), start, Term(1));
    }
  } else if (name == "spare") {
    make(read_member(arguments), {}, Term());
  } else if (name == "state") {
    print_state();
  } else if (!network_command(name, arguments)) {
    const MemberId id = read_member(arguments);
    if (!cores_.contains(id)) {
      say("unknown command or member: " + name);
      return;
    }
    if (!storage_command(id, name, arguments)) {
      core_command(id, name, arguments);
    }
    settle(id);
  }
}

void Interaction::set_option(const std::string& name, std::istringstream& arguments) {
  uint64_t value = 0;
  arguments >> value;
  if (name == "append_bytes") {
    options_.max_append_bytes = value;
  } else if (name == "inflight_messages") {
    options_.max_inflight_messages = value;
  } else if (name == "uncommitted_bytes") {
    options_.max_uncommitted_bytes = value;
  } else {
    say("unknown option: " + name);
  }
}

bool Interaction::network_command(const std::string& name, std::istringstream& arguments) {
  if (name == "deliver") {
    const std::string how = read_word(arguments);
    is_quiet_ = how == "quiet";
    deliver(how.empty() || is_quiet_ ? kMostMessages : std::stoi(how));
  } else if (name == "drop" || name == "delay") {
    const MemberId from = read_member(arguments);
    const MemberId to = read_member(arguments);
    const auto is_meant = [&](const Sent& sent) {
      return from.is_empty() || (sent.from == from && sent.envelope.to == to);
    };
    if (name == "delay") {
      std::copy_if(under_way_.begin(), under_way_.end(), std::back_inserter(delayed_), is_meant);
    }
    std::erase_if(under_way_, is_meant);
  } else if (name == "arrive") {
    under_way_.insert(under_way_.end(), delayed_.begin(), delayed_.end());
    delayed_.clear();
  } else if (name == "repeat") {
    const std::deque<Sent> copies = under_way_;
    under_way_.insert(under_way_.end(), copies.begin(), copies.end());
  } else if (name == "cut") {
    const MemberId from = read_member(arguments);
    cut_.insert({from, read_member(arguments)});
  } else if (name == "heal") {
    cut_.clear();
  } else {
    return false;
  }
  return true;
}

bool Interaction::is_cut(MemberId from, MemberId to) const {
  return cut_.contains({from, MemberId()}) || cut_.contains({to, MemberId()}) ||
         cut_.contains({from, to});
}

bool Interaction::storage_command(MemberId id, const std::string& name,
                                  std::istringstream& arguments) {
  RaftCore& core = *cores_.at(id);
  if (name == "hold") {
    disks_.at(id).is_held = true;
  } else if (name == "release") {
    disks_.at(id).is_held = false;
    persist(id);
  } else if (name == "sync") {
    sync(id, 1);
  } else if (name == "full" || name == "room") {
    core.on_storage_stalled(name == "full");
  } else if (name == "stop_apply") {
    stuck_appliers_.insert(id);
  } else if (name == "resume_apply") {
    stuck_appliers_.erase(id);
    acknowledge_apply(id);
  } else if (name == "compact") {
    uint64_t index = 0;
    arguments >> index;
    disks_.at(id).snapshot = core.snapshot_meta(Index(index));
    core.on_snapshot_saved(Index(index), disks_.at(id).snapshot.term);
    core.compact(Index(index));
  } else if (name == "sent") {
    core.on_snapshot_sent(read_member(arguments));
  } else if (name == "restart") {
    restart(id);
  } else {
    return false;
  }
  return true;
}

void Interaction::restart(MemberId id) {
  Disk& disk = disks_.at(id);
  disk.waiting.clear();
  disk.is_held = false;
  InitialState state{disk.hard_state, disk.snapshot, {}};
  for (const Entry& entry : disk.entries) {
    if (entry.index > disk.snapshot.index) {
      state.entries.push_back(entry);
    }
  }
  start(id, std::move(state));
}

void Interaction::core_command(MemberId id, const std::string& name,
                               std::istringstream& arguments) {
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
    status = core.propose(read_payload(arguments));
  } else if (name == "ask") {
    status = core.propose(read_payload(arguments), ++last_proposal_);
  } else if (name == "change") {
    status = core.propose_membership(read_changes(arguments)).status();
  } else if (name == "address") {
    core.announce_address(read_word(arguments));
  } else if (name == "transfer") {
    status = core.transfer_leadership(read_member(arguments));
  } else if (name == "read") {
    core.read_index(++last_read_);
  } else if (name == "refused") {
    core.on_peer_refused(read_member(arguments));
  } else if (name == "log") {
    print_log(id);
  } else if (name == "progress") {
    print_progress(id);
  } else {
    say("unknown command: " + name);
  }
  if (!status.ok()) {
    say(std::string(status.message()));
  }
}

void Interaction::print_state() {
  for (const auto& [id, core] : cores_) {
    std::string text = text_of(id) + ": " + text_of(core->role()) + " term " +
                       std::to_string(core->term().value()) + " leader " + text_of(core->leader()) +
                       " commit " + text_of(core->committed()) + " durable " +
                       text_of(core->stable()) + " last " + text_of(core->log().last()) + " voters";
    for (const MemberId voter : core->configuration().voters()) {
      text += " " + text_of(voter);
    }
    if (core->configuration().is_joint()) {
      text += " out of";
      for (const Member& leaving : core->configuration().outgoing) {
        text += " " + text_of(leaving.id);
      }
    }
    for (const Member& member : core->configuration().members) {
      text += member.is_learner ? " learner " + text_of(member.id) : "";
    }
    say(text);
  }
}

void Interaction::print_log(MemberId id) {
  const RaftLog& log = cores_.at(id)->log();
  std::string text = "after " + text_of(log.base()) + ":";
  for (Index index = after(log.base()); index <= log.last(); index = after(index)) {
    text += " " + text_of(index, log.at(index).term);
  }
  say(text);
}

void Interaction::print_progress(MemberId id) {
  for (const auto& [peer, progress] : cores_.at(id)->progress()) {
    if (peer == id) {
      continue;
    }
    const char* const state = progress.state() == Progress::State::probe       ? "probe"
                              : progress.state() == Progress::State::replicate ? "replicate"
                                                                               : "snapshot";
    say(text_of(peer) + " " + state + " match " + text_of(progress.match()) + " next " +
        text_of(progress.next()) + " inflight " + std::to_string(progress.inflights().messages()));
  }
}

}  // namespace swarm::raft::test
