// The machines of the simulation: how they start, die, and talk.

#include <utility>

#include "raft/core/codec.h"
#include "raft/log/log_scan.h"
#include "raft/log/promise_file.h"
#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

namespace {

constexpr const char* kDirectory = "/raft";
constexpr const char* kPromises = "/beside/promises";

std::string text(MemberId member) {
  return "member " + std::to_string(member.value());
}

// The number of a message's alternative, without decoding the rest.
uint64_t kind_of(const std::string& message) {
  raft::ByteReader reader(message);
  reader.number();  // the version
  return reader.number();
}

template <class Body>
constexpr uint64_t kind() {
  return raft::Message(Body{}).index();
}

}  // namespace

RaftSimulation::Node& RaftSimulation::make_node() {
  const MemberId id(nodes_.size() + 1);
  Node& node = *nodes_.emplace_back(std::make_unique<Node>(*this, id));
  node.disk.leave_garbage(plan_.leaves_garbage);
  node.disk.on_full = [this](std::string_view path) {
    if (path.ends_with("segment.part") || path.ends_with("spare.part")) {
      reach(State::full_at_segment_switch);
    }
  };
  node.disk.on_rename = [this, &node](std::string_view from, std::string_view to) {
    if (!to.ends_with(".log")) {
      return;
    }
    if (from.find("/spare-") != std::string_view::npos && !from.ends_with("/spare-new")) {
      reach(State::segment_used_again);
    }
    on_moment(Moment::switched_segment, node);
  };
  if (plan_.has_drift) {
    node.loop.set_drift(static_cast<int64_t>(random_.below(400'000)) - 200'000);
  }
  return node;
}

// As if it had been in the group from its beginning.
void RaftSimulation::prepare_disk(Node& node, const raft::Configuration& configuration) {
  Result<raft::MemberStorage> storage =
      raft::open_member_storage({kDirectory, plan_.segment_bytes, node.id, kPromises}, node.disk,
                                node.cipher, random_.fork("log"));
  raft::PersistOp op;
  op.hard_state = raft::HardState{raft::Term(1), MemberId(), raft::Index(1)};
  op.entries.push_back({raft::Term(1), raft::Index(1), raft::EntryKind::membership,
                        std::make_shared<const std::string>(encode(configuration))});
  if (!storage.ok() || !storage->log->append({&op, 1}).ok()) {
    invariants_.violate("the disk of " + text(node.id) + " could not be prepared");
  }
}

void RaftSimulation::make_machine(Node& node) {
  node.machine = std::make_unique<ListMachine>(ListMachine::Events{
      .on_entry = [this, &node](const raft::CommittedEntry& entry) { on_applied(node, entry); },
      .on_restored =
          [this, &node](raft::Index index) {
            reach(State::snapshot_installed);
            invariants_.on_state(node.id, index.value(), node.machine->hash());
          },
      .on_applied =
          [this, &node](raft::Index index) {
            invariants_.on_state(node.id, index.value(), node.machine->hash());
            const Duration delay(random_.below(2'000'000));
            world_.schedule(
                world_.now() + delay,
                [&node, index, incarnation = node.incarnation] {
                  if (node.is_up() && node.incarnation == incarnation) {
                    node.replica->applied(index);
                  }
                },
                &node.owner);
          },
      .on_won =
          [this, &node](raft::Term term) {
            node.leads = term;
            on_moment(Moment::committed_first, node);
          },
      .on_lost =
          [&node](raft::Term) {
            node.leads = raft::Term();
            node.proposed.clear();  // the clients were told that the outcome is unknown
          }});
}

void RaftSimulation::open(Node& node) {
  ++node.incarnation;
  node.is_failing = false;
  node.refuses = false;
  node.leads = raft::Term();
  node.proposed.clear();
  node.watched = {};
  node.has_truncated = false;
  node.transport.end_life();
  node.owner.paused_until = {};
  node.owner.is_touched = true;
  node.disk_loop =
      std::make_unique<DiskLoop>(world_, random_.fork("disk"), plan_.disk_mean, &node.owner);
  make_machine(node);
  const bool loses_power = has_faults_ && random_.chance(plan_.recovery_crash);
  if (loses_power) {
    node.disk.fail_sync_after(random_.below(3));
  }
  if (!start_replica(node)) {
    return;
  }
  if (loses_power) {
    node.disk.fail_sync_after(std::numeric_limits<uint64_t>::max());
  }
  trace([&] { return describe(node) + " starts"; });
  invariants_.on_return(node.id, node.core());
  node.replica->start();
}

// False when the member does not start, and that is how it should be.
bool RaftSimulation::start_replica(Node& node) {
  raft::ReplicaOptions options;
  options.self = node.id;
  options.directory = kDirectory;
  options.promises = kPromises;
  options.tick = plan_.tick;
  options.snapshot_log_bytes = plan_.snapshot_bytes;
  options.segment_bytes = plan_.segment_bytes;
  options.limits = std::make_shared<const raft::CoreOptions>(plan_.limits);
  options.on_storage_failure = [this, &node](const Status&) {
    reach(State::sync_failed);
    if (!std::exchange(node.is_failing, true)) {
      world_.schedule(world_.now(), [this, &node, incarnation = node.incarnation] {
        if (node.is_up() && node.incarnation == incarnation) {
          crash(node, random_.chance(0.5));
        }
      });
    }
  };
  options.on_state_lost = [this, &node](const Status& reason) {
    invariants_.violate(text(node.id) + " lost nothing, and takes part no longer: " +
                        std::string(reason.message()));
  };
  Result<std::unique_ptr<raft::Replica>> opened =
      raft::Replica::open(options, node.loop, *node.disk_loop, node.disk, node.transport,
                          node.cipher, *node.machine, random_.fork("replica"));
  if (opened.ok()) {
    node.replica.reset(static_cast<raft::RaftReplica*>(opened->release()));
    node.is_rotten = false;  // it read all that counts: the damage was elsewhere
    if (node.is_robbed) {
      invariants_.violate(text(node.id) + " takes part with less than it promised to keep");
    }
    return true;
  }
  trace([&] { return text(node.id) + " does not start: " + opened.status().ToString(); });
  if (absl::IsResourceExhausted(opened.status())) {
    node.disk_loop->drop_all();
    restart_later(node);
  } else if (absl::IsUnavailable(opened.status())) {
    reach(State::recovery_crashed);
    lose_power(node);
    restart_later(node);
  } else if (absl::IsDataLoss(opened.status()) && node.is_rotten) {
    reach(node.is_robbed ? State::lost_state_refused : State::damage_refused);
    node.is_gone = true;
  } else {
    invariants_.violate(text(node.id) +
                        " does not start: " + std::string(opened.status().message()));
  }
  return false;
}

void RaftSimulation::lose_power(Node& node) {
  const uint64_t lost_before = node.disk.names_lost();
  node.disk.crash(random_);
  if (node.disk.names_lost() > lost_before) {
    reach(State::names_lost);
  }
  rot(node);
  lose_state(node);
}

// Whether the others can go on if this one never comes back.
bool RaftSimulation::is_spare(const Node& node) {
  std::set<MemberId> others;
  for (const auto& other : nodes_) {
    if (other->id != node.id && !other->is_gone && !other->is_rotten) {
      others.insert(other->id);
    }
  }
  return can_decide(others);
}

// While it is down its disk goes bad under something old. Only if the group can do without it.
void RaftSimulation::rot(Node& node) {
  if (has_faults_ && random_.chance(plan_.rot_rate) && is_spare(node)) {
    const std::string_view where = random_.chance(0.7) ? "/log/" : ".snap";
    node.is_rotten |= node.disk.damage_something_old(where, random_);
    trace([&] { return text(node.id) + ": bits of its disk flip in " + std::string(where); });
  }
}

namespace {

// Whether a start can tell that the folder holds less than was promised.
bool is_less(const SimulatedFileSystem::Copy& folder, const raft::Promises& promised,
             uint64_t segment_bytes, SimpleCipher& cipher) {
  SimulatedFileSystem disk;
  disk.replace_folder(kDirectory, folder);
  const auto log = std::filesystem::path(kDirectory) / "log";
  if (!disk.make_directories(log).ok()) {
    return false;
  }
  const raft::LogScan scan =
      raft::scan_log(disk, raft::SegmentFiles(disk, log, segment_bytes), &cipher);
  const raft::LogContents& found = scan.contents;
  const raft::HardState& then = promised.hard_state;
  const raft::HardState& now = found.hard_state;
  const raft::Index last = std::max(
      found.entries.empty() ? raft::Index() : found.entries.back().index, found.snapshot.index);
  return found.is_empty() || now.term < then.term ||
         (now.term == then.term && !then.vote.is_empty() && now.vote != then.vote) ||
         (last < then.commit &&
          folder.lower_bound(std::string(kDirectory) + "/snapshots/") == folder.end());
}

}  // namespace

// While it is down its folder is lost, its newest segment, or an older copy comes back. Only what
// it can tell by what it keeps beside the folder, and if the group can do without it.
void RaftSimulation::lose_state(Node& node) {
  if (!has_faults_ || plan_.loss_rate == 0) {
    return;
  }
  SimulatedFileSystem::Copy now = node.disk.copy_folder(kDirectory);
  if (random_.chance(plan_.loss_rate) && !node.is_rotten && is_spare(node)) {
    const uint64_t kind = random_.below(3);
    SimulatedFileSystem::Copy next = kind == 1 ? node.copy : SimulatedFileSystem::Copy();
    if (kind == 2) {
      next = now;
      const auto after = next.lower_bound(std::string(kDirectory) + "/log/s");
      if (after != next.begin()) {
        next.erase(std::prev(after));
      }
    }
    const Result<std::optional<raft::Promises>> promised =
        raft::PromiseFile(node.disk, kPromises).read();
    if (promised.ok() && *promised && is_less(next, **promised, plan_.segment_bytes, node.cipher)) {
      node.disk.replace_folder(kDirectory, next);
      node.is_robbed = node.is_rotten = true;
      trace([&] { return text(node.id) + ": its state is lost, kind " + std::to_string(kind); });
      return;
    }
  }
  if (random_.chance(0.3)) {
    node.copy = std::move(now);
  }
}

void RaftSimulation::crash(Node& node, bool loses_power) {
  ++outcome_.crashes;
  trace([&] { return describe(node) + (loses_power ? " loses power" : " is killed"); });
  const raft::RaftCore& core = node.core();
  invariants_.on_death(node.id, core);
  node.configurations = {core.configuration(), core.log().configurations().at(core.committed())};
  if (core.is_leader() && core.committed() < core.log().last()) {
    reach(State::leader_died_with_uncommitted);
  }
  const raft::Index last = core.log().last();
  const raft::Index base = core.log().base();
  const raft::MemberId vote = core.vote();
  const raft::Term term = core.term();
  // The group that was being written reaches the system's cache, and no further.
  if (random_.chance(0.7)) {
    node.disk.begin_power_loss();
    node.disk_loop->run_one();
  }
  node.disk_loop->drop_all();
  node.replica.reset();
  node.machine.reset();
  node.refuses = !loses_power && random_.chance(plan_.refuse);
  if (loses_power) {
    lose_power(node);
  } else {
    node.disk.end_process();
  }
  node.lost = {last, base, term, vote};
  bool is_dark = true;
  for (const auto& other : nodes_) {
    is_dark = is_dark && !other->is_up();
    if (node.refuses && other->is_up()) {
      refuse(other->id, node);
    }
  }
  if (is_dark && nodes_.size() > 1) {
    reach(State::everyone_down);
  }
  restart_later(node);
}

// The system of a dead process answers callers that there is nobody.
void RaftSimulation::refuse(MemberId caller, Node& dead) {
  if (!network_.can_pass(caller, dead.id) || !network_.can_pass(dead.id, caller)) {
    return;
  }
  Node& node = node_of(caller);
  world_.schedule(
      world_.now() + milliseconds(1),
      [this, &node, &dead, incarnation = node.incarnation] {
        if (!node.is_up() || node.incarnation != incarnation || dead.is_up()) {
          return;
        }
        if (node.core().leader() == dead.id) {
          reach(State::leader_refused_connections);
        }
        node.replica->peer_refused(dead.id);
      },
      &node.owner);
}

void RaftSimulation::restart_later(Node& node) {
  if (!has_faults_ && !core_.contains(node.id)) {
    return;
  }
  const bool is_quick = plan_.restarts_quickly ? random_.chance(0.8) : random_.chance(0.3);
  const Duration limit = is_quick ? plan_.tick : plan_.tick * 40;
  const Duration delay(random_.below(static_cast<uint64_t>(limit.count())));
  world_.schedule(world_.now() + delay, [this, &node] {
    if (!node.is_up() && !node.is_gone && (has_faults_ || core_.contains(node.id))) {
      open(node);
    }
  });
}

void RaftSimulation::send(MemberId from, MemberId to, std::string message) {
  Node& sender = node_of(from);
  if (to.value() > nodes_.size()) {
    return;
  }
  inspect(sender, to, message);
  Node& receiver = node_of(to);
  if (!receiver.is_up()) {
    if (receiver.refuses && random_.chance(0.2)) {
      refuse(from, receiver);
    }
    return;
  }
  network_.send(from, to, &receiver.owner,
                [from, &receiver, message = std::move(message)]() mutable {
                  if (receiver.is_up()) {
                    receiver.replica->receive(from, std::move(message));
                  }
                });
}

// What a member says is a promise from the moment it is said.
void RaftSimulation::inspect(Node& sender, MemberId to, const std::string& message) {
  const uint64_t said = kind_of(message);
  trace([&] {
    return text(sender.id) + " -> " + std::to_string(to.value()) + ": message " +
           std::to_string(said) + ", " + std::to_string(message.size()) + " bytes";
  });
  if (said == kind<raft::AppendReply>()) {
    const Result<raft::Message> decoded = raft::decode_message(message);
    const auto& reply = std::get<raft::AppendReply>(*decoded);
    if (!reply.is_rejected) {
      invariants_.on_ack_sent(sender.id, sender.core(), reply.term, reply.index);
    }
  } else if (said == kind<raft::VoteReply>()) {
    const Result<raft::Message> decoded = raft::decode_message(message);
    const auto& reply = std::get<raft::VoteReply>(*decoded);
    if (reply.is_granted && !reply.is_pre_vote) {
      invariants_.on_vote_sent(sender.id, reply.term, to);
    } else if (!reply.is_granted && reply.is_pre_vote && !sender.core().leader().is_empty()) {
      reach(State::pre_vote_refused);
    }
  } else if (said == kind<raft::VoteRequest>()) {
    const Result<raft::Message> decoded = raft::decode_message(message);
    const auto& request = std::get<raft::VoteRequest>(*decoded);
    if (!request.is_pre_vote) {
      invariants_.on_vote_sent(sender.id, request.term, sender.id);
    }
  } else if (said == kind<raft::SnapshotPart>()) {
    const Result<raft::Message> decoded = raft::decode_message(message);
    const auto& part = std::get<raft::SnapshotPart>(*decoded);
    Node& receiver = node_of(to);
    if (receiver.receiving_from != part.term || receiver.receiving != part.meta) {
      receiver.receiving = part.meta;
      receiver.receiving_from = part.term;
      receiver.received_parts = 0;
      on_snapshot_begun(sender, receiver);
    }
    if (part.sequence > receiver.received_parts) {
      reach(State::snapshot_resumed);
    }
    receiver.received_parts = std::max(receiver.received_parts, part.sequence + 1);
  }
}

void RaftSimulation::on_applied(Node& node, const raft::CommittedEntry& entry) {
  invariants_.on_applied(node.id, entry);
  const uint64_t command = std::strtoull(entry.data->c_str(), nullptr, 10);
  const auto [at, is_new] = command_at_.try_emplace(command, entry.index.value());
  if (!is_new && at->second != entry.index.value()) {
    invariants_.violate("command " + std::to_string(command) + " was applied twice");
  }
  const auto found = node.proposed.find(command);
  if (found != node.proposed.end() && found->second == entry.term) {
    acknowledged_.push_back(command);
    node.proposed.erase(found);
  }
}

// A replica learns of a configuration, and that it is gone again, with the next batch of effects.
void RaftSimulation::check_peers(const Node& node) {
  // Whoever goes on at this very instant has not done what waited for it.
  if (!node.is_up() || node.is_failing || node.owner.paused_until >= world_.now()) {
    return;
  }
  std::set<MemberId> members = members_of(node.core().configuration());
  members.erase(node.id);
  if (node.transport.peers() != members) {
    invariants_.violate(describe(node) + " talks to others than those it is configured with");
  }
}

// After entries were replaced it is easy to take the old ones for the new ones, which have the same
// indexes (the ABA race): what counts as durable is compared with what the files hold.
void RaftSimulation::check_disk(Node& node) {
  const raft::Index stable = node.core().stable();
  const raft::SegmentFiles segments(node.disk, std::filesystem::path(kDirectory) / "log",
                                    plan_.segment_bytes);
  const raft::LogScan scan = raft::scan_log(node.disk, segments, &node.cipher);
  const std::vector<raft::Entry>& entries = scan.contents.entries;
  const bool is_there =
      !entries.empty() && stable >= entries.front().index && stable <= entries.back().index &&
      node.core().log().holds(stable, entries[stable.value() - entries.front().index.value()].term);
  if (stable > node.core().log().base() && !is_there) {
    invariants_.violate(describe(node) + " takes entry " + std::to_string(stable.value()) +
                        " for durable, and its files do not hold it");
  }
}

}  // namespace swarm::test
