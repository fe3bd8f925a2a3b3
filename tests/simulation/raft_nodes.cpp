// The machines and the network of the simulation.

#include <utility>

#include "raft/core/codec.h"
#include "raft_node.h"

namespace swarm::test {

using raft::MemberId;

RaftSimulation::Node& RaftSimulation::make_node(bool is_first) {
  const MemberId id(++last_member_);
  Node& node = *nodes_.emplace(id, std::make_unique<Node>(*this, id)).first->second;
  if (is_first) {
    // So that opening finds the group it is to be in.
    node.disk_loop = std::make_unique<DiskLoop>(world_, random_.fork("disk"), Duration(0));
    Result<raft::MemberStorage> storage = raft::open_member_storage(
        "/raft", plan_.segment_bytes, node.disk, node.cipher, random_.fork("log"));
    if (!storage.ok() || !raft::bootstrap_member(*storage, id, "address").ok()) {
      invariants_.violate("the first member could not be made");
    }
  }
  open(node);
  return node;
}

void RaftSimulation::open(Node& node) {
  const MemberId id = node.id;
  ++node.incarnation;
  node.is_failing = false;
  node.leads = raft::Term();
  node.proposed.clear();
  node.disk_loop = std::make_unique<DiskLoop>(world_, random_.fork("disk"), plan_.disk_mean);
  node.machine = std::make_unique<ListMachine>(ListMachine::Events{
      .on_entry = [this, &node](const raft::CommittedEntry& entry) { on_applied(node, entry); },
      .on_applied =
          [this, &node](raft::Index index) {
            const Duration delay(random_.below(2'000'000));
            world_.schedule(world_.now() + delay, [&node, index, incarnation = node.incarnation] {
              if (node.is_up() && node.incarnation == incarnation) {
                node.replica->applied(index);
              }
            });
          },
      .on_won =
          [this, &node](raft::Term term) {
            node.leads = term;
            if (has_faults_ && plan_.strikes_leaders && random_.chance(0.3)) {
              strike(node.id);
            }
          },
      .on_lost =
          [&node](raft::Term) {
            node.leads = raft::Term();
            node.proposed.clear();  // the clients were told that the outcome is unknown
          }});
  raft::ReplicaOptions options;
  options.self = id;
  options.directory = "/raft";
  options.snapshot_log_bytes = plan_.snapshot_bytes;
  options.segment_bytes = plan_.segment_bytes;
  options.on_storage_failure = [this, &node](const Status&) {
    if (!std::exchange(node.is_failing, true)) {
      world_.schedule(world_.now(), [this, &node, incarnation = node.incarnation] {
        if (node.is_up() && node.incarnation == incarnation) {
          crash(node, true);
          restart_later(node);
        }
      });
    }
  };
  Result<std::unique_ptr<raft::Replica>> opened =
      raft::Replica::open(options, loop_, *node.disk_loop, node.disk, node.transport, node.cipher,
                          *node.machine, random_.fork("replica"));
  if (absl::IsResourceExhausted(opened.status())) {
    restart_later(node);
    return;
  }
  if (!opened.ok()) {
    invariants_.violate("member " + std::to_string(id.value()) +
                        " does not start: " + std::string(opened.status().message()));
    return;
  }
  node.replica.reset(static_cast<raft::RaftReplica*>(opened->release()));
  node.replica->start();
}

void RaftSimulation::crash(Node& node, bool loses_power) {
  ++outcome_.crashes;
  if (loses_power) {
    // The group that was being written reaches the disk's cache, and no further.
    node.disk.begin_power_loss();
    if (random_.chance(0.7)) {
      node.disk_loop->run_one();
    }
  }
  node.disk_loop->drop_all();
  node.replica.reset();
  node.machine.reset();
  if (loses_power) {
    node.disk.crash(random_);
  }
  for (auto& [id, other] : nodes_) {
    if (id != node.id && other->is_up() && random_.chance(0.5) && can_pass(id, node.id)) {
      // The system of the dead process refuses connections.
      world_.schedule(world_.now() + milliseconds(1),
                      [&other = *other, dead = node.id, incarnation = other->incarnation] {
                        if (other.is_up() && other.incarnation == incarnation) {
                          other.replica->peer_refused(dead);
                        }
                      });
    }
  }
}

void RaftSimulation::restart_later(Node& node) {
  const bool is_quick = random_.chance(0.5);
  const Duration delay(random_.below(is_quick ? 20'000'000 : 3'000'000'000));
  world_.schedule(world_.now() + delay, [this, &node] {
    if (!node.is_up() && !removed_.contains(node.id)) {
      open(node);
    }
  });
}

bool RaftSimulation::can_pass(MemberId from, MemberId to) const {
  return !cuts_.contains({from, to});
}

void RaftSimulation::deliver(MemberId from, MemberId to, const std::string& message) {
  const Result<raft::Message> decoded = raft::decode_message(message);
  if (!decoded.ok()) {
    invariants_.violate("a message does not decode");
    return;
  }
  if (const auto* const vote = std::get_if<raft::VoteReply>(&*decoded)) {
    if (vote->is_granted && !vote->is_pre_vote) {
      invariants_.on_vote_sent(from, vote->term, to);
    }
  }
  const auto target = nodes_.find(to);
  if (target == nodes_.end() || !can_pass(from, to)) {
    return;
  }
  const int copies = has_faults_ && random_.chance(plan_.duplicate) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (has_faults_ && random_.chance(plan_.drop)) {
      continue;
    }
    const Duration delay =
        microseconds(200) +
        Duration(random_.below(static_cast<uint64_t>(
            has_faults_ ? plan_.max_delay.count() : Duration(milliseconds(1)).count())));
    world_.schedule(world_.now() + delay, [this, from, &node = *target->second, message] {
      if (node.is_up() && can_pass(from, node.id)) {
        node.replica->receive(from, message);
      }
    });
  }
}

void RaftSimulation::on_applied(Node& node, const raft::CommittedEntry& entry) {
  invariants_.on_applied(node.id, entry);
  const auto found = node.proposed.find(*entry.data);
  if (found != node.proposed.end() && found->second == entry.term) {
    acknowledged_.insert(*entry.data);
    node.proposed.erase(found);
  }
}

}  // namespace swarm::test
