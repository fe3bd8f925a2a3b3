#include "raft/replica/raft_replica.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>

#include "raft/core/codec.h"
#include "support/simulated_file_system.h"
#include "support/simulated_loop.h"

namespace swarm::raft {
namespace {

using test::SimulatedFileSystem;
using test::SimulatedLoop;
using test::World;

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
    void send(MemberId to, std::string message) override {
      group.world.schedule(
          group.world.now() + microseconds(100),
          [this, to, message = std::move(message)] { group.deliver(self, to, message); });
    }
    Group& group;
    const MemberId self;
    std::map<MemberId, std::string> addresses;
  };

  struct Node {
    Node(Group& group, MemberId member) : id(member), link(group, member) {}
    const MemberId id;
    SimulatedFileSystem disk;
    Link link;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<Replica> replica;
    std::optional<Status> failure;
    bool is_cut = false;
  };

  Node& add(uint64_t id) {
    return *nodes_.emplace(MemberId(id), std::make_unique<Node>(*this, MemberId(id))).first->second;
  }
  Status open(Node& node) {
    ReplicaOptions options;
    options.self = node.id;
    options.directory = "/state";
    options.snapshot_log_bytes = snapshot_log_bytes;
    options.segment_bytes = 16 << 10;
    options.on_storage_failure = [&node](const Status& status) { node.failure = status; };
    node.machine = std::make_unique<Machine>();
    Result<std::unique_ptr<Replica>> opened = Replica::open(
        options, loop, loop, node.disk, node.link, cipher_, *node.machine, Random(node.id.value()));
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
  uint64_t snapshot_log_bytes = 16 << 20;

 private:
  PlainCipher cipher_;
  std::map<MemberId, std::unique_ptr<Node>> nodes_;
};

TEST(Replica, AGroupOfOneLeadsAtOnceAndCommitsWithItsOwnSync) {
  Group group;
  Group::Node& node = group.start_first();
  EXPECT_EQ(group.world.now(), TimePoint(seconds(1))) << "no time passed";
  node.replica->propose(*node.machine->leads, "a");
  group.world.settle();
  EXPECT_EQ(node.machine->texts, std::vector<std::string>{"a"});
}

TEST(Replica, NothingIsAppliedBeforeItIsDurable) {
  Group group;
  Group::Node& node = group.start_first();
  node.disk.begin_power_loss();
  node.replica->propose(*node.machine->leads, "a");
  group.world.run_for(seconds(2));
  EXPECT_TRUE(node.machine->texts.empty());
  EXPECT_TRUE(node.failure.has_value()) << "a failed sync ends the process";
}

TEST(Replica, BootstrapNeedsAnEmptyDirectory) {
  Group group;
  Group::Node& node = group.start_first();
  group.stop(node, false);
  ASSERT_TRUE(group.open(node).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(node.replica->bootstrap("x")));
}

TEST(Replica, LeadershipIsAnnouncedAfterEverythingCommittedBefore) {
  Group group;
  Group::Node& node = group.start_first();
  ASSERT_TRUE(group.write(node, "a"));
  ASSERT_TRUE(group.write(node, "b"));
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }));
  ASSERT_EQ(node.machine->events.size(), 3u);
  EXPECT_EQ(node.machine->events[0], "apply a");
  EXPECT_EQ(node.machine->events[1], "apply b");
  EXPECT_EQ(node.machine->events[2].substr(0, 3), "won");
}

TEST(Replica, JoiningMembersBecomeVotersAndGetEverything) {
  Group group;
  Group::Node& first = group.start_first();
  ASSERT_TRUE(group.write(first, "a"));
  group.join(first, 2);
  group.join(first, 3);
  EXPECT_EQ(Group::voters(first), 3u);
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(3), "a"); }));
  EXPECT_EQ(group.node(3).link.addresses.at(MemberId(2)), "127.0.0.1:2");
  EXPECT_EQ(group.node(2).machine->leader, MemberId(1));
  EXPECT_EQ(first.replica->progress().reachable.size(), 3u);
}

TEST(Replica, AnotherLeadsSoonWhenTheProcessOfTheLeaderDies) {
  Group group;
  group.start_three();
  ASSERT_TRUE(group.write(group.node(1), "a"));
  group.world.run_for(seconds(1));
  group.stop(group.node(1), false);
  const TimePoint died = group.world.now();
  group.node(2).replica->peer_refused(MemberId(1));
  group.node(3).replica->peer_refused(MemberId(1));
  ASSERT_TRUE(group.world.run_until([&] { return group.leader() != nullptr; }));
  EXPECT_LE(group.world.now() - died, milliseconds(200));
  EXPECT_TRUE(Group::has(*group.leader(), "a"));
  EXPECT_TRUE(group.write(*group.leader(), "b"));
}

TEST(Replica, AnotherLeadsAfterAnElectionTimeoutWhenTheLeaderIsCutOff) {
  Group group;
  group.start_three();
  group.node(1).is_cut = true;
  ASSERT_TRUE(group.world.run_until([&] { return group.leader() != nullptr; }, seconds(5)));
  ASSERT_TRUE(group.world.run_until([&] { return !group.node(1).machine->leads; }, seconds(2)))
      << "the old leader notices by itself";
  EXPECT_TRUE(group.write(*group.leader(), "b"));
  group.node(1).is_cut = false;
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(1), "b"); }));
}

TEST(Replica, ProposalsOfAnotherTermAreDropped) {
  Group group;
  Group::Node& node = group.start_first();
  node.replica->propose(Term(node.machine->leads->value() - 1), "old");
  ASSERT_TRUE(group.write(node, "new"));
  EXPECT_EQ(node.machine->texts, std::vector<std::string>{"new"});
}

TEST(Replica, LeadershipIsHandedOverWithoutAnElectionTimeout) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  const TimePoint before = group.world.now();
  group.node(1).replica->transfer_leadership(MemberId(2),
                                             [&](const Status& status) { done = status; });
  group.node(1).replica->propose(*group.node(1).machine->leads, "meanwhile");
  ASSERT_TRUE(group.world.run_until([&] { return done && group.node(2).machine->leads; }));
  EXPECT_TRUE(done->ok());
  EXPECT_LT(group.world.now() - before, milliseconds(100));
}

TEST(Replica, AHandOverThatFailsLosesNoProposal) {
  Group group;
  group.start_three();
  group.node(2).is_cut = true;
  std::optional<Status> done;
  group.node(1).replica->transfer_leadership(MemberId(2),
                                             [&](const Status& status) { done = status; });
  group.node(1).replica->propose(*group.node(1).machine->leads, "meanwhile");
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsDeadlineExceeded(*done)) << *done;
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(1), "meanwhile"); }));
}

TEST(Replica, LeadershipIsConfirmedOnlyByAQuorum) {
  Group group;
  group.start_three();
  std::optional<Status> confirmed;
  group.node(1).replica->confirm_leadership([&](const Status& status) { confirmed = status; });
  ASSERT_TRUE(group.world.run_until([&] { return confirmed.has_value(); }, milliseconds(10)));
  EXPECT_TRUE(confirmed->ok());

  confirmed.reset();
  group.node(1).is_cut = true;
  group.node(1).replica->confirm_leadership([&](const Status& status) { confirmed = status; });
  ASSERT_TRUE(group.world.run_until([&] { return confirmed.has_value(); }, seconds(5)));
  EXPECT_TRUE(absl::IsUnavailable(*confirmed)) << *confirmed;

  confirmed.reset();
  group.node(3).replica->confirm_leadership([&](const Status& status) { confirmed = status; });
  ASSERT_TRUE(group.world.run_until([&] { return confirmed.has_value(); }, seconds(5)));
}

TEST(Replica, ARemovedMemberIsOutAndItsIdStaysOut) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  const auto note = [&](const Status& status) { done = status; };
  group.node(1).replica->remove_member(MemberId(3), note);
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << *done;
  EXPECT_EQ(Group::voters(group.node(1)), 2u);
  EXPECT_FALSE(group.node(1).link.addresses.contains(MemberId(3)));
  done.reset();
  group.node(1).replica->remove_member(MemberId(3), note);
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << "asking twice is no error";
  done.reset();
  group.node(1).replica->add_member({MemberId(3), "x", true}, note);
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsFailedPrecondition(*done)) << *done;
  EXPECT_TRUE(group.write(group.node(1), "a"));
}

TEST(Replica, ALeaderDoesNotRemoveItselfAndTheLastVoterStays) {
  Group group;
  Group::Node& node = group.start_first();
  std::optional<Status> done;
  node.replica->remove_member(MemberId(1), [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(absl::IsFailedPrecondition(*done));
}

TEST(Replica, AddingAKnownMemberChangesItsAddress) {
  Group group;
  group.start_three();
  std::optional<Status> done;
  group.node(1).replica->add_member({MemberId(2), "127.0.0.9:9", false},
                                    [&](const Status& status) { done = status; });
  ASSERT_TRUE(group.world.run_until([&] { return done.has_value(); }));
  EXPECT_TRUE(done->ok()) << *done;
  EXPECT_EQ(group.node(1).link.addresses.at(MemberId(2)), "127.0.0.9:9");
  EXPECT_EQ(Group::voters(group.node(1)), 3u);
}

TEST(Replica, TheLogIsCompactedAndARestartUsesTheSnapshot) {
  Group group;
  group.snapshot_log_bytes = 4000;
  Group::Node& node = group.start_first();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(group.write(node, "write " + std::to_string(i)));
  }
  EXPECT_GT(node.machine->snapshots, 0);
  EXPECT_LT(static_cast<RaftReplica&>(*node.replica).core().log().bytes(), 12'000u);
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }));
  EXPECT_EQ(node.machine->restores, 1);
  ASSERT_EQ(node.machine->texts.size(), 200u);
  EXPECT_EQ(node.machine->texts.back(), "write 199");
}

TEST(Replica, AMemberThatFellFarBehindGetsASnapshot) {
  Group group;
  group.snapshot_log_bytes = 4000;
  group.start_three();
  group.node(3).is_cut = true;
  group.world.run_for(seconds(2));  // for a member that is there, the entries would be kept
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(group.write(group.node(1), "write " + std::to_string(i)));
  }
  ASSERT_TRUE(group.write(group.node(1), std::string(1'200'000, 'y'))) << "more than one part";
  for (int i = 100; i < 200; ++i) {
    ASSERT_TRUE(group.write(group.node(1), "write " + std::to_string(i)));
  }
  group.node(3).is_cut = false;
  ASSERT_TRUE(group.world.run_until([&] { return group.node(3).machine->texts.size() == 201; },
                                    seconds(30)));
  EXPECT_EQ(group.node(3).machine->restores, 1);
  ASSERT_TRUE(group.write(group.node(1), "after"));
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(3), "after"); }));
}

TEST(Replica, AFullDiskRefusesWritesLosesNothingAndRecovers) {
  Group group;
  Group::Node& node = group.start_first();
  ASSERT_TRUE(group.write(node, "before"));
  node.disk.set_capacity(0);
  for (int i = 0; i < 40 && node.machine->leads; ++i) {
    node.replica->propose(*node.machine->leads, std::string(1000, 'x'));
    group.world.run_for(milliseconds(10));
  }
  EXPECT_FALSE(node.machine->leads) << "no more writes are accepted";
  EXPECT_FALSE(node.failure) << "and the process lives";
  const size_t applied = node.machine->texts.size();
  node.disk.set_capacity(1 << 30);
  ASSERT_TRUE(group.world.run_until([&] { return node.machine->leads.has_value(); }, seconds(5)));
  EXPECT_GE(node.machine->texts.size(), applied);
  ASSERT_TRUE(group.write(node, "after"));
  group.stop(node, true);
  group.restart(node);
  ASSERT_TRUE(group.world.run_until([&] { return Group::has(node, "after"); }));
  EXPECT_TRUE(Group::has(node, "before"));
}

TEST(Replica, ApplyIsBoundedByAcknowledgements) {
  Group group;
  Group::Node& node = group.start_first();
  node.machine->acknowledges = false;
  for (int i = 0; i < 20; ++i) {
    node.replica->propose(*node.machine->leads, std::string(1 << 20, 'x'));
  }
  group.world.run_for(seconds(1));
  const size_t handed = node.machine->texts.size();
  EXPECT_LT(handed, 10u);
  node.machine->acknowledges = true;
  node.replica->applied(node.machine->applied);
  EXPECT_TRUE(group.world.run_until([&] { return node.machine->texts.size() == 20; }));
}

TEST(Replica, GarbageFromTheNetworkIsHarmless) {
  Group group;
  group.start_three();
  Random random(7);
  for (int i = 0; i < 500; ++i) {
    std::string noise(random.below(60), '\0');
    for (char& c : noise) {
      c = static_cast<char>(random.below(256));
    }
    group.node(1).replica->receive(MemberId(2), noise);
  }
  EXPECT_TRUE(group.write(group.node(1), "a"));
}

TEST(Replica, DamagedStateIsRefusedAtTheStart) {
  Group group;
  Group::Node& node = group.start_first();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(group.write(node, "a"));
  }
  group.stop(node, false);
  node.disk.damage("/state/log/0000000000000001.log", 600);
  EXPECT_TRUE(absl::IsDataLoss(group.open(node)));
}

}  // namespace
}  // namespace swarm::raft
