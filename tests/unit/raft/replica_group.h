#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "raft/core/codec.h"
#include "raft/replica/raft_replica.h"
#include "simulation/disk_loop.h"
#include "support/simulated_file_system.h"
#include "support/simulated_loop.h"

namespace swarm::raft::test {

using swarm::test::DiskLoop;
using swarm::test::SimulatedFileSystem;
using swarm::test::SimulatedLoop;
using swarm::test::World;

class PlainCipher final : public PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return std::string(plain); }
  Result<std::string> open(std::string_view sealed) override { return std::string(sealed); }
};

// Remembers what it was told; a snapshot is the list of texts.
class Machine final : public StateMachine {
 public:
  void apply(std::vector<CommittedEntry> entries, Index up_to) override {
    for (CommittedEntry& entry : entries) {
      texts.push_back(*entry.data);
      events.push_back("apply " + *entry.data);
    }
    applied = up_to;
    if (replica != nullptr && acknowledges) {
      replica->applied(up_to);
    }
  }
  void leadership_won(Term term) override {
    leads = term;
    events.push_back("won " + std::to_string(term.value()));
  }
  void leadership_lost(Term term) override {
    leads.reset();
    events.push_back("lost " + std::to_string(term.value()));
  }
  void leader_changed(std::optional<MemberId> now) override { leader = now; }
  void take_snapshot(Index, absl::AnyInvocable<void(Index, SnapshotSource)> done) override {
    ++snapshots;
    done(applied, [rest = std::deque<std::string>(texts.begin(), texts.end())]() mutable {
      if (rest.empty()) {
        return std::string();
      }
      std::string chunk = rest.front();
      rest.pop_front();
      return chunk;
    });
  }
  void restore(Index index, std::vector<std::string> chunks,
               absl::AnyInvocable<void(Status)> done) override {
    texts = std::move(chunks);
    applied = index;
    ++restores;
    done(absl::OkStatus());
  }

  Replica* replica = nullptr;
  bool acknowledges = true;
  std::vector<std::string> texts;
  std::vector<std::string> events;
  std::optional<Term> leads;
  std::optional<MemberId> leader;
  Index applied;
  int snapshots = 0;
  int restores = 0;
};

// Members in one world; messages arrive at once unless a member is cut off.
class Group {
 public:
  struct Node;

  struct Link final : Transport {
    Link(Group& owner, MemberId member) : group(owner), self(member) {}
    void set_peer(MemberId peer, const std::string& address) override { addresses[peer] = address; }
    void remove_peer(MemberId peer) override { addresses.erase(peer); }
    void reset_peer(MemberId peer) override { resets.push_back(peer); }
    void send(MemberId to, std::string message) override {
      group.world.schedule(
          group.world.now() + microseconds(100),
          [this, to, message = std::move(message)] { group.deliver(self, to, message); });
    }
    Group& group;
    const MemberId self;
    std::map<MemberId, std::string> addresses;
    std::vector<MemberId> resets;
  };

  struct Node {
    Node(Group& group, MemberId member) : id(member), link(group, member) {}
    const MemberId id;
    SimulatedFileSystem disk;
    Link link;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<Replica> replica;
    std::optional<Status> failure;
    std::optional<Status> loss;  // of its state, as its leader found out
    bool has_taken_part = false;
    std::string address;  // announced, unless empty
    bool is_cut = false;
  };

  Node& add(uint64_t id) {
    return *nodes_.emplace(MemberId(id), std::make_unique<Node>(*this, MemberId(id))).first->second;
  }
  Status open(Node& node) {
    ReplicaOptions options;
    options.self = node.id;
    options.directory = "/state";
    options.promises = "/beside/promises";
    options.has_taken_part = node.has_taken_part;
    options.snapshot_log_bytes = snapshot_log_bytes;
    options.segment_bytes = 16 << 10;
    options.address = node.address;
    options.snapshot_bytes_per_second = snapshot_bytes_per_second;
    options.on_storage_failure = [&node](const Status& status) { node.failure = status; };
    options.on_state_lost = [&node](const Status& status) { node.loss = status; };
    node.machine = std::make_unique<Machine>();
    Result<std::unique_ptr<Replica>> opened =
        Replica::open(options, loop, log_loop, node.disk, node.link, cipher_, *node.machine,
                      Random(node.id.value()));
    SWARM_RETURN_IF_ERROR(opened.status());
    node.replica = *std::move(opened);
    node.machine->replica = node.replica.get();
    return absl::OkStatus();
  }
  // A group of one that leads.
  Node& start_first() {
    Node& node = add(1);
    EXPECT_TRUE(open(node).ok());
    EXPECT_TRUE(node.replica->bootstrap("127.0.0.1:1").ok());
    node.replica->start();
    EXPECT_TRUE(world.run_until([&] { return node.machine->leads.has_value(); }));
    return node;
  }
  Node& join(Node& leader, uint64_t id) {
    Node& node = add(id);
    EXPECT_TRUE(open(node).ok());
    node.replica->start();
    std::optional<Status> added;
    leader.replica->add_member({node.id, "127.0.0.1:" + std::to_string(id), true},
                               [&added](const Status& status) { added = status; });
    EXPECT_TRUE(world.run_until([&] { return added.has_value(); }));
    EXPECT_TRUE(added->ok()) << *added;
    EXPECT_TRUE(world.run_until([&] { return voters(leader) == nodes_.size(); }))
        << "a learner is promoted by itself";
    return node;
  }
  void start_three() {
    Node& first = start_first();
    join(first, 2);
    join(first, 3);
    world.run_for(seconds(1));  // until all know of the last promotion
  }
  static size_t voters(const Node& node) {
    size_t count = 0;
    for (const Member& member : node.replica->members()) {
      count += member.is_learner ? 0 : 1;
    }
    return count;
  }
  void stop(Node& node, bool loses_power) {
    node.replica.reset();
    node.machine.reset();
    if (loses_power) {
      node.disk.crash_dropping_everything();
    }
  }
  void restart(Node& node) {
    EXPECT_TRUE(open(node).ok());
    node.replica->start();
  }
  void deliver(MemberId from, MemberId to, const std::string& message) {
    if (intercept != nullptr && !intercept(from, to, message)) {
      return;
    }
    const auto target = nodes_.find(to);
    if (target != nodes_.end() && target->second->replica != nullptr && !target->second->is_cut &&
        !nodes_.at(from)->is_cut) {
      target->second->replica->receive(from, message);
    }
  }
  Node& node(uint64_t id) { return *nodes_.at(MemberId(id)); }
  Node* leader() {
    for (auto& [id, node] : nodes_) {
      if (node->replica != nullptr && node->machine->leads && !node->is_cut) {
        return node.get();
      }
    }
    return nullptr;
  }
  // A write that the leader has applied.
  bool write(Node& node, const std::string& text) {
    node.replica->propose(*node.machine->leads, text);
    return world.run_until([&] { return has(node, text); }, seconds(5));
  }
  static bool has(const Node& node, const std::string& text) {
    const std::vector<std::string>& texts = node.machine->texts;
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  }

  World world;
  SimulatedLoop loop{world};
  DiskLoop log_loop{world, Random(1), Duration{}};  // of all members; as fast as can be
  uint64_t snapshot_log_bytes = 16 << 20;
  uint64_t snapshot_bytes_per_second = 64 << 20;
  // Looks at every message; false loses it.
  std::function<bool(MemberId from, MemberId to, const std::string& message)> intercept;

 private:
  PlainCipher cipher_;
  std::map<MemberId, std::unique_ptr<Node>> nodes_;
};

}  // namespace swarm::raft::test
